using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Registry;

/// <summary>What names a manifest inside a repository: a tag or a digest, never both.</summary>
public sealed record Reference
{
    private Reference(Tag? tag, Digest? digest)
    {
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The tag, or <see langword="null"/> where the reference is a digest.</summary>
    public Tag? Tag { get; }

    /// <summary>The digest, or <see langword="null"/> where the reference is a tag.</summary>
    public Digest? Digest { get; }

    /// <summary>The reference as a path has it.</summary>
    public string Value => Tag?.Value ?? Digest!.Value;

    /// <summary>A reference by tag.</summary>
    public static Reference To(Tag tag) => new(tag, null);

    /// <summary>A reference by digest.</summary>
    public static Reference To(Digest digest) => new(null, digest);

    /// <summary>Reads a reference that a client sent. It never throws.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out Reference? reference)
    {
        reference = Gateway.Core.Registry.Tag.TryParse(text, out var tag) ? To(tag)
            : Gateway.Core.Registry.Digest.TryParse(text, out var digest) ? To(digest)
            : null;
        return reference is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;
}
