using Gateway.Core.Registry;

namespace Gateway.Core.Authorization;

/// <summary>Which tags a request touches: one, none, or some that cannot be told from the request.</summary>
/// <remarks>
/// Blobs and manifests by digest carry no tag. Rules that are limited by tag treat them so (docs/policy.md):
/// an <em>allow</em> limited by tag still grants pull and push of untagged content, since an image cannot be moved
/// without its blobs, but never delete, since deleting a digest removes every tag that points to it;
/// a <em>deny</em> limited by tag refuses an untagged request only where that request may change a tag it protects
/// (<see cref="Unknown"/>).
/// </remarks>
public readonly record struct TagScope
{
    private TagScope(Tag? tag, bool isUnknown)
    {
        Tag = tag;
        IsUnknown = isUnknown;
    }

    /// <summary>No tag is touched. The default.</summary>
    public static readonly TagScope None;

    /// <summary>
    /// Any tag of the repository may be touched, as by a delete by digest. Every tag-limited deny applies.
    /// </summary>
    public static readonly TagScope Unknown = new(null, isUnknown: true);

    /// <summary>The one tag, or <see langword="null"/>.</summary>
    public Tag? Tag { get; }

    /// <summary>Whether the tags touched cannot be told from the request.</summary>
    public bool IsUnknown { get; }

    /// <summary>Exactly this tag is touched.</summary>
    public static TagScope Of(Tag tag) => new(tag, isUnknown: false);
}
