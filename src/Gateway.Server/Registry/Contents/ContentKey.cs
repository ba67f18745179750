using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Microsoft.Extensions.Primitives;

namespace Gateway.Server.Registry.Contents;

/// <summary>
/// All that a registry's answer depends on: what is asked of which repository, and both headers by which a server may
/// choose among forms of it, exactly as they go upstream.
/// </summary>
/// <remarks>
/// The repository is part of it, so that an answer to one is never given to a reader of another one. A value without
/// text of its own: a lookup allocates nothing.
/// </remarks>
internal readonly struct ContentKey : IEquatable<ContentKey>
{
    private readonly int _hash;

    /// <param name="registry">The registry's name.</param>
    /// <param name="repository">The repository's public name, which has exactly one upstream name.</param>
    /// <param name="kind">How it is asked.</param>
    /// <param name="reference">The digest or the tag.</param>
    /// <param name="accept">The header <c>Accept</c>.</param>
    /// <param name="encoding">The header <c>Accept-Encoding</c>.</param>
    public ContentKey(
        string registry,
        string repository,
        ContentKind kind,
        string reference,
        StringValues accept,
        StringValues encoding)
    {
        Registry = registry;
        Repository = repository;
        Kind = kind;
        Reference = reference;
        Accept = accept;
        Encoding = encoding;
        var hash = default(HashCode);
        hash.Add(registry);
        hash.Add(repository);
        hash.Add((int)kind);
        hash.Add(reference);
        Add(ref hash, accept);
        Add(ref hash, encoding);
        _hash = hash.ToHashCode();
    }

    /// <summary>The registry's name.</summary>
    public string Registry { get; }

    /// <summary>The repository's public name.</summary>
    public string Repository { get; }

    /// <summary>How it is asked.</summary>
    public ContentKind Kind { get; }

    /// <summary>The digest or the tag.</summary>
    public string Reference { get; }

    /// <summary>The header <c>Accept</c>.</summary>
    public StringValues Accept { get; }

    /// <summary>The header <c>Accept-Encoding</c>.</summary>
    public StringValues Encoding { get; }

    /// <summary>The key of a request for a manifest or a blob.</summary>
    public static ContentKey Of(GatewayContext gateway, IHeaderDictionary headers)
    {
        var request = gateway.Request;
        var (kind, reference) = request.Operation switch
        {
            RegistryOperation.ReadBlob => (ContentKind.Blob, request.Digest!.Value),
            _ when request.Reference!.Tag is { } tag => (ContentKind.Tag, tag.Value),
            _ => (ContentKind.Manifest, request.Reference.Digest!.Value),
        };
        return new ContentKey(
            gateway.Registry!.Name, request.Repository!.Value, kind, reference, headers.Accept,
            headers.AcceptEncoding);
    }

    /// <summary>How many characters of text it keeps alive.</summary>
    public int CountCharacters() => Repository.Length + Reference.Length + Count(Accept) + Count(Encoding);

    /// <inheritdoc/>
    public bool Equals(ContentKey other) =>
        _hash == other._hash
        && Kind == other.Kind
        && string.Equals(Reference, other.Reference, StringComparison.Ordinal)
        && string.Equals(Repository, other.Repository, StringComparison.Ordinal)
        && string.Equals(Registry, other.Registry, StringComparison.Ordinal)
        && StringValues.Equals(Accept, other.Accept)
        && StringValues.Equals(Encoding, other.Encoding);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ContentKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    private static void Add(ref HashCode hash, StringValues values)
    {
        hash.Add(values.Count);
        foreach (var value in values)
        {
            hash.Add(value);
        }
    }

    private static int Count(StringValues values)
    {
        var count = 0;
        foreach (var value in values)
        {
            count += value?.Length ?? 0;
        }

        return count;
    }
}
