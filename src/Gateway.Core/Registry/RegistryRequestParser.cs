using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Registry;

/// <summary>Reads a method and a raw request target into the one <see cref="RegistryRequest"/> they can mean.</summary>
/// <remarks>
/// Written by hand, from the first byte to the last: proxies were walked around wherever one component decoded,
/// cleaned, folded or cut a path differently from the next. Nothing here repairs a target; what the registry could
/// read in another way is refused, and what is forwarded is written anew by <see cref="RegistryTarget"/>.
/// </remarks>
public static class RegistryRequestParser
{
    /// <summary>The longest target accepted, in characters: Kestrel's own limit for a whole request line.</summary>
    public const int MaxTargetLength = 8192;

    // Visible ASCII without "#", which System.Uri would cut at. The path's grammars are narrower still.
    private static readonly SearchValues<char> TargetCharacters = SearchValues.Create(
        "!\"$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    /// <summary>Parses what the request line has, before any framework has decoded or collapsed it.</summary>
    /// <param name="method">The method, byte for byte: case matters.</param>
    /// <param name="rawTarget">The request target as sent: origin form, percent-encoded, with its query.</param>
    /// <returns>The request, or the error that refuses it; it never throws.</returns>
    public static RegistryParseResult Parse(string method, string rawTarget)
    {
        if (rawTarget.Length > MaxTargetLength)
        {
            return new(RegistryError.TargetTooLong(
                $"request target has {rawTarget.Length} characters: send at most {MaxTargetLength}"));
        }

        // Absolute form (which names a host of the client's choice), authority form and "*" end here.
        if (rawTarget.Length == 0 || rawTarget[0] != '/')
        {
            return new(RegistryError.BadRequest(
                $"request target {QuotedInput.Of(rawTarget)} is not a path: send one that begins with /v2/"));
        }

        if (rawTarget.AsSpan().ContainsAnyExcept(TargetCharacters))
        {
            return new(RegistryError.BadRequest($"request target {QuotedInput.Of(rawTarget)} has characters that no "
                + "URL may contain: percent-encode them in the query, and leave them out of the path"));
        }

        var target = rawTarget.AsSpan();
        var question = target.IndexOf('?');
        var path = RegistryPath.Split(question < 0 ? target : target[..question]);
        if (path.Route == RegistryRoute.None)
        {
            return new(UnknownPath(question < 0 ? target : target[..question]));
        }

        if (!TryGetOperation(method, path.Route, out var known, out var operation))
        {
            return new(WrongMethod(method, path.Route));
        }

        var query = question < 0 ? default : target[(question + 1)..];
        return RegistryQuery.TryParse(query, operation, out var parameters) is { } error
            ? new(error)
            : Complete(path, operation, known, parameters);
    }

    internal static RegistryError InvalidDigest(ReadOnlySpan<char> text) => RegistryError.DigestInvalid(
        $"digest {QuotedInput.Of(text)} is not valid: "
        + "send sha256, sha384 or sha512, a colon and lower-case hexadecimal digits");

    /// <summary>Reads a digest in a path.</summary>
    /// <remarks>
    /// The only percent-encoding that a path may have is <c>%3A</c> for the digest's colon, in either case: some
    /// browser UIs send it, the registry accepts it, and there is exactly one character it can mean. Everything else
    /// that the API's paths may contain needs no encoding, so anyone who encodes it hides it from some reader.
    /// </remarks>
    internal static bool TryParseDigest(ReadOnlySpan<char> segment, [NotNullWhen(true)] out Digest? digest)
    {
        var escape = segment.IndexOf('%');
        if (escape < 0)
        {
            return Digest.TryParse(segment, out digest);
        }

        digest = null;
        var encoded = segment[escape..];
        if (segment.Length > Digest.MaxLength + 2 || encoded.Length < 3 || encoded is not ['%', '3', 'A' or 'a', ..])
        {
            return false;
        }

        Span<char> decoded = stackalloc char[segment.Length - 2];
        segment[..escape].CopyTo(decoded);
        decoded[escape] = ':';
        encoded[3..].CopyTo(decoded[(escape + 1)..]);
        return Digest.TryParse(decoded, out digest); // a second escape or colon is not in the digest's grammar
    }

    internal static bool TryParseReference(ReadOnlySpan<char> segment, [NotNullWhen(true)] out Reference? reference)
    {
        reference = Tag.TryParse(segment, out var tag) ? Reference.To(tag)
            : TryParseDigest(segment, out var digest) ? Reference.To(digest)
            : null;
        return reference is not null;
    }

    private static RegistryParseResult Complete(
        RegistryPath path, RegistryOperation operation, RegistryMethod method, RegistryParameters parameters)
    {
        RepositoryName? repository = null;
        if (path.Route is not (RegistryRoute.Base or RegistryRoute.Catalog)
            && !RepositoryName.TryParse(path.Name, out repository))
        {
            return new(InvalidName(path.Name));
        }

        Reference? reference = null;
        Digest? digest = null;
        UploadId? upload = null;
        switch (path.Route)
        {
            case RegistryRoute.Manifest when !TryParseReference(path.Item, out reference):
                return new(InvalidReference(path.Item));
            case RegistryRoute.Blob or RegistryRoute.Referrers when !TryParseDigest(path.Item, out digest):
                return new(InvalidDigest(path.Item));
            case RegistryRoute.Upload when !UploadId.TryParse(path.Item, out upload):
                return new(RegistryError.BlobUploadUnknown(
                    $"upload {QuotedInput.Of(path.Item)} does not exist: start one with POST …/blobs/uploads/"));
        }

        return new(new RegistryRequest
        {
            Operation = operation,
            Method = method,
            Repository = repository,
            Reference = reference,
            Digest = digest,
            Upload = upload,
            Parameters = parameters,
        });
    }

    // The one table of methods. Methods are case-sensitive, and what is not listed does not exist: not OPTIONS, which
    // the gateway answers itself, not TRACE or CONNECT, and no HEAD where the registry has none.
    private static bool TryGetOperation(
        string method, RegistryRoute route, out RegistryMethod known, out RegistryOperation operation)
    {
        (known, operation, var found) = (route, method) switch
        {
            (RegistryRoute.Base, "GET") => (RegistryMethod.Get, RegistryOperation.Ping, true),
            (RegistryRoute.Base, "HEAD") => (RegistryMethod.Head, RegistryOperation.Ping, true),
            (RegistryRoute.Catalog, "GET") => (RegistryMethod.Get, RegistryOperation.ListCatalog, true),
            (RegistryRoute.Tags, "GET") => (RegistryMethod.Get, RegistryOperation.ListTags, true),
            (RegistryRoute.Referrers, "GET") => (RegistryMethod.Get, RegistryOperation.ListReferrers, true),
            (RegistryRoute.Manifest, "GET") => (RegistryMethod.Get, RegistryOperation.ReadManifest, true),
            (RegistryRoute.Manifest, "HEAD") => (RegistryMethod.Head, RegistryOperation.ReadManifest, true),
            (RegistryRoute.Manifest, "PUT") => (RegistryMethod.Put, RegistryOperation.PutManifest, true),
            (RegistryRoute.Manifest, "DELETE") => (RegistryMethod.Delete, RegistryOperation.DeleteManifest, true),
            (RegistryRoute.Blob, "GET") => (RegistryMethod.Get, RegistryOperation.ReadBlob, true),
            (RegistryRoute.Blob, "HEAD") => (RegistryMethod.Head, RegistryOperation.ReadBlob, true),
            (RegistryRoute.Blob, "DELETE") => (RegistryMethod.Delete, RegistryOperation.DeleteBlob, true),
            (RegistryRoute.UploadStart, "POST") => (RegistryMethod.Post, RegistryOperation.StartUpload, true),
            (RegistryRoute.Upload, "GET") => (RegistryMethod.Get, RegistryOperation.ReadUpload, true),
            (RegistryRoute.Upload, "HEAD") => (RegistryMethod.Head, RegistryOperation.ReadUpload, true),
            (RegistryRoute.Upload, "PATCH") => (RegistryMethod.Patch, RegistryOperation.AppendUpload, true),
            (RegistryRoute.Upload, "PUT") => (RegistryMethod.Put, RegistryOperation.CompleteUpload, true),
            (RegistryRoute.Upload, "DELETE") => (RegistryMethod.Delete, RegistryOperation.CancelUpload, true),
            _ => default,
        };
        return found;
    }

    private static RegistryError WrongMethod(string method, RegistryRoute route)
    {
        var allow = route switch
        {
            RegistryRoute.Base => "GET, HEAD",
            RegistryRoute.Manifest => "GET, HEAD, PUT, DELETE",
            RegistryRoute.Blob => "GET, HEAD, DELETE",
            RegistryRoute.UploadStart => "POST",
            RegistryRoute.Upload => "GET, HEAD, PATCH, PUT, DELETE",
            _ => "GET",
        };
        return RegistryError.MethodNotAllowed(
            $"method {QuotedInput.Of(method)} is not allowed here: use {allow}", allow);
    }

    private static RegistryError UnknownPath(ReadOnlySpan<char> path) => RegistryError.NotFound(
        path.EndsWith("/blobs/uploads", StringComparison.Ordinal)
            ? $"path {QuotedInput.Of(path)} is not part of the registry API: end it with a slash to start an upload"
            : $"path {QuotedInput.Of(path)} is not part of the registry API: "
                + "paths begin with /v2/ and end in one of its endpoints");

    private static RegistryError InvalidName(ReadOnlySpan<char> name) => RegistryError.NameInvalid(
        name.Length > RepositoryName.MaxLength
            ? $"repository name {QuotedInput.Of(name)} has {name.Length} characters: "
                + $"use at most {RepositoryName.MaxLength}"
            : $"repository name {QuotedInput.Of(name)} is not valid: "
                + "use lower-case letters and digits, joined by . _ - and /");

    private static RegistryError InvalidReference(ReadOnlySpan<char> reference) =>
        reference.ContainsAny(':', '%')
            ? InvalidDigest(reference)
            : RegistryError.TagInvalid(
                $"tag {QuotedInput.Of(reference)} is not valid: use up to {Tag.MaxLength} letters, "
                + "digits and . _ -, not beginning with . or -");
}
