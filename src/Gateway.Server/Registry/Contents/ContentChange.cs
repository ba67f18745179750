using System.Diagnostics.CodeAnalysis;
using Gateway.Core.Registry;

namespace Gateway.Server.Registry.Contents;

/// <summary>What a request changes in a registry, so that contents that say otherwise are dropped.</summary>
/// <param name="Kind">What was changed.</param>
/// <param name="Repository">The repository, as the upstream calls it.</param>
/// <param name="Reference">The digest or the tag; empty for a whole repository.</param>
/// <param name="IsOpen">Whether it is about to be made, and may be made at any moment from now on.</param>
internal readonly record struct ContentChange(
    ContentChangeKind Kind, string Repository, string Reference, bool IsOpen = false)
{
    private const string Open = " open";

    /// <summary>What a request changes; <see langword="null"/>: nothing that is kept.</summary>
    /// <param name="request">The request.</param>
    /// <param name="repository">Its repository, as the upstream calls it.</param>
    public static ContentChange? Of(RegistryRequest request, RepositoryName repository) => request switch
    {
        { Operation: RegistryOperation.DeleteBlob, Digest: { } digest } =>
            new ContentChange(ContentChangeKind.Digest, repository.Value, digest.Value),
        { Operation: RegistryOperation.DeleteManifest, Reference.Digest: { } digest } =>
            new ContentChange(ContentChangeKind.Digest, repository.Value, digest.Value),
        // Some registries delete the tag's manifest with it, and which one that is only they know.
        { Operation: RegistryOperation.DeleteManifest } =>
            new ContentChange(ContentChangeKind.Repository, repository.Value, ""),
        { Operation: RegistryOperation.PutManifest, Tag: { } tag } =>
            new ContentChange(ContentChangeKind.Tag, repository.Value, tag.Value),
        _ => null,
    };

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <returns><see langword="false"/> for anything else; it never throws.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out ContentChange? change)
    {
        var isOpen = text.EndsWith(Open, StringComparison.Ordinal);
        var words = (isOpen ? text[..^Open.Length] : text).Split(' ');
        change = words switch
        {
            ["digest", var repository, var digest]
                when RepositoryName.TryParse(repository, out _) && Digest.TryParse(digest, out _) =>
                new ContentChange(ContentChangeKind.Digest, repository, digest, isOpen),
            ["repository", var repository] when RepositoryName.TryParse(repository, out _) =>
                new ContentChange(ContentChangeKind.Repository, repository, "", isOpen),
            ["tag", var repository, var tag]
                when RepositoryName.TryParse(repository, out _) && Tag.TryParse(tag, out _) =>
                new ContentChange(ContentChangeKind.Tag, repository, tag),
            _ => null,
        };
        return change is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => IsOpen ? Describe() + Open : Describe();

    private string Describe() => Kind switch
    {
        ContentChangeKind.Digest => $"digest {Repository} {Reference}",
        ContentChangeKind.Repository => $"repository {Repository}",
        _ => $"tag {Repository} {Reference}",
    };
}

/// <summary>What was changed.</summary>
internal enum ContentChangeKind
{
    /// <summary>
    /// A manifest or blob was deleted by its digest: it is dropped for every repository of every registry.
    /// </summary>
    Digest,

    /// <summary>A manifest was deleted by a tag.</summary>
    Repository,

    /// <summary>A tag was pushed.</summary>
    Tag,
}
