using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Gateway.Core.Registry;

namespace Gateway.Server.Registry.Contents;

/// <summary>Whether an upstream's answer may be kept: nothing is, unless everything about it is understood.</summary>
internal static class ContentJudge
{
    // Any other one says something of this very answer, or of something that is not known here.
    private static readonly FrozenSet<string> Kept = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Accept-Ranges", "Cache-Control", "Content-Length", "Content-Type", "Docker-Content-Digest", "ETag",
        "Last-Modified", "Vary");

    // The first two are part of the key. The others never go upstream, so no answer of it varies by them.
    private static readonly FrozenSet<string> HarmlessVariations = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Accept", "Accept-Encoding", "Origin", "Cookie", "Access-Control-Request-Method",
        "Access-Control-Request-Headers");

    /// <summary>Judges the headers.</summary>
    /// <param name="key">What was asked, with GET.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="relayed">Those of its headers that clients see.</param>
    /// <param name="options">The limits.</param>
    /// <param name="digest">What the body must hash to, where the answer may be kept.</param>
    /// <returns>
    /// <see cref="ContentOutcome.Stored"/> where it may be kept, once the body has come and is what it should be.
    /// </returns>
    public static ContentOutcome Judge(
        in ContentKey key,
        HttpResponseMessage answer,
        IHeaderDictionary relayed,
        ContentCacheOptions options,
        out string digest)
    {
        digest = key.Reference;
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            return ContentOutcome.Status;
        }

        if (answer.Content.Headers.ContentLength is not { } length || length > options.LargestBody(key.Kind))
        {
            return ContentOutcome.TooLarge;
        }

        if (!AreUnderstood(answer, relayed, options.MaxAge))
        {
            return ContentOutcome.Headers;
        }

        if (!IsTypeOf(key.Kind, relayed.ContentType))
        {
            return ContentOutcome.Type;
        }

        var stated = (string?)relayed["Docker-Content-Digest"];
        if (key.Kind == ContentKind.Tag)
        {
            digest = stated ?? "";
            return Digest.TryParse(stated, out _) ? ContentOutcome.Stored : ContentOutcome.Digest;
        }

        // By another name than it was asked for, such as its SHA-256 for its SHA-512, a deletion would not find it.
        return stated is null || stated == key.Reference ? ContentOutcome.Stored
            : IsSameAlgorithm(stated, key.Reference) ? ContentOutcome.Digest
            : ContentOutcome.Headers;
    }

    /// <summary>Judges the body, whose length is right.</summary>
    public static ContentOutcome Judge(in ContentKey key, string? mediaType, string digest, ReadOnlySpan<byte> body) =>
        !HasDigest(body, digest) ? ContentOutcome.Digest
            : key.Kind == ContentKind.Blob || ManifestShape.IsOf(mediaType, body) ? ContentOutcome.Stored
            : ContentOutcome.Type;

    private static bool IsTypeOf(ContentKind kind, string? mediaType) => kind == ContentKind.Blob
        ? mediaType is "application/octet-stream"
        : ManifestShape.IsKnown(mediaType);

    private static bool IsSameAlgorithm(string stated, string asked) =>
        stated.AsSpan().StartsWith(asked.AsSpan(0, asked.IndexOf(':') + 1), StringComparison.Ordinal);

    private static bool AreUnderstood(HttpResponseMessage answer, IHeaderDictionary relayed, TimeSpan maxAge)
    {
        if (answer.Headers.NonValidated.Contains("Location") || answer.Content.Headers.ContentEncoding.Count > 0)
        {
            return false;
        }

        foreach (var (name, values) in relayed)
        {
            if (!Kept.Contains(name) || (values.Count != 1 && name is not ("Vary" or "Cache-Control")))
            {
                return false;
            }
        }

        foreach (var name in relayed.GetCommaSeparatedValues("Vary"))
        {
            if (!HarmlessVariations.Contains(name))
            {
                return false;
            }
        }

        return answer.Headers.CacheControl is not { } caching
            ? !answer.Headers.NonValidated.Contains("Cache-Control") // one that cannot be read
            : MayBeKept(caching, maxAge);
    }

    private static bool MayBeKept(CacheControlHeaderValue caching, TimeSpan maxAge) =>
        caching is { NoStore: false, NoCache: false, Private: false } && !(caching.MaxAge < maxAge)
        && !(caching.SharedMaxAge < maxAge);

    private static bool HasDigest(ReadOnlySpan<byte> body, string digest)
    {
        Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
        var length = digest.AsSpan(0, digest.IndexOf(':')) switch
        {
            "sha256" => SHA256.HashData(body, hash),
            "sha384" => SHA384.HashData(body, hash),
            "sha512" => SHA512.HashData(body, hash),
            _ => 0,
        };
        Span<char> text = stackalloc char[2 * SHA512.HashSizeInBytes];
        return length > 0
            && Convert.TryToHexStringLower(hash[..length], text, out var written)
            && digest.AsSpan(digest.IndexOf(':') + 1).SequenceEqual(text[..written]);
    }
}
