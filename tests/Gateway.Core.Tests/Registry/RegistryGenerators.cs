using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Registry;

/// <summary>Random requests that the grammar allows, and random text that looks like them.</summary>
internal static class RegistryGenerators
{
    private static readonly Gen<string> Alphanumeric = Text("abcxyz019", 1, 6);

    private static readonly Gen<string> Segment =
        from first in Alphanumeric
        from rest in (from separator in Gen.Elements(".", "_", "__", "-", "---")
                      from more in Alphanumeric
                      select separator + more).ListOf()
        select first + string.Concat(rest.Take(3));

    private static readonly Gen<Digest> Digests =
        from algorithm in Gen.Elements(("sha256", 64), ("sha384", 96), ("sha512", 128))
        from hex in Text("0123456789abcdef", algorithm.Item2, algorithm.Item2)
        select Parse(algorithm.Item1 + ":" + hex);

    private static readonly Gen<RepositoryName> Names =
        from segments in Gen.OneOf(Segment, Gen.Elements("manifests", "blobs", "uploads", "tags", "list", "v2"))
            .NonEmptyListOf()
        select RepositoryName.Parse(string.Join('/', segments.Take(5)));

    private static readonly Gen<Tag> Tags =
        from first in Text("abcXYZ019_", 1, 1)
        from rest in Text("abcXYZ019_.-", 0, 127)
        select Tag.TryParse(first + rest, out var tag) ? tag : throw new InvalidOperationException();

    private static readonly Gen<UploadId> Uploads =
        from text in Text("abcXYZ019_.=-", 1, UploadId.MaxLength)
        select UploadId.TryParse(text is "." or ".." ? "x" : text, out var id)
            ? id
            : throw new InvalidOperationException();

    private static readonly Gen<string?> Printable = Optional(Text(
        string.Concat(Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c)), 1, 255));

    private static readonly Gen<string> Tickets = Text("abcXYZ019-_", 1, 300);

    // What an upstream may have in its Location: any pairs but those that the gateway decides on.
    private static readonly Gen<string> UpstreamQueries =
        from pairs in Gen.OneOf(
                from key in Gen.Elements(
                    "_state", "_uploadcache", "x", "%64", "n", "", "a b+%2b", "digest-algorithm", "%zz")
                from value in Text("abcXYZ019-_=%+/:{}|^`~!$'()*,.@[]?", 0, 40)
                select key.Replace(' ', '+') + "=" + value,
                Text("abcXYZ019", 0, 5))
            .ListOf()
        let query = "?" + string.Join('&', pairs.Take(5))
        where RegistryLocation.TryParse("/v2/a/blobs/uploads/u" + query, out _)
        select query;

    /// <summary>Every request that the parser can return.</summary>
    public static readonly Gen<RegistryRequest> Requests =
        from name in Names
        from operation in Gen.Elements(Enum.GetValues<RegistryOperation>())
        from head in ArbMap.Default.GeneratorFor<bool>()
        from tag in Tags
        from digest in Digests
        from byDigest in ArbMap.Default.GeneratorFor<bool>()
        from upload in Uploads
        from parameters in Parameters(operation)
        select new RegistryRequest
        {
            Operation = operation,
            Method = Method(operation, head),
            Repository = operation is RegistryOperation.Ping or RegistryOperation.ListCatalog ? null : name,
            Reference = operation
                is RegistryOperation.ReadManifest or RegistryOperation.PutManifest or RegistryOperation.DeleteManifest
                ? byDigest ? Reference.To(digest) : Reference.To(tag)
                : null,
            Digest = operation
                is RegistryOperation.ReadBlob or RegistryOperation.DeleteBlob or RegistryOperation.ListReferrers
                ? digest
                : null,
            Upload = operation
                is RegistryOperation.ReadUpload or RegistryOperation.AppendUpload or RegistryOperation.CompleteUpload
                or RegistryOperation.CancelUpload
                ? upload
                : null,
            Parameters = parameters,
        };

    /// <summary>Requests on a started upload, as they go upstream.</summary>
    public static readonly Gen<RegistryRequest> ContinuedUploads =
        from request in Requests.Where(static request => request.Upload is not null)
        from query in Gen.OneOf(Gen.Constant(""), UpstreamQueries)
        select request.Continuing(query);

    /// <summary>Any text at all, and text glued together from the API's own pieces.</summary>
    public static readonly Gen<string> Targets = Gen.OneOf(
        ArbMap.Default.GeneratorFor<string>().Select(text => text ?? ""),
        ArbMap.Default.GeneratorFor<string>().Select(text => "/v2/" + text),
        from pieces in Gen.OneOf(
                Gen.Elements(
                    "/", "/v2/", "v2", "manifests", "/manifests/", "/blobs/uploads/", "blobs", "tags/list", "_catalog",
                    "latest", "sha256:", "%3A", "%", "%2", "%2F", "..", ".", "//", "\\", "?", "&", "=", ";", "+", "#",
                    "from", "mount", "_ticket", "_state", "n", "last", "digest", "FROM", "%66rom", "\0", "\n", "é",
                    "\ud800", "*",
                    "http://", ":", Samples.Sha256, "a", "A", new string('a', 300)),
                Gen.Choose(0, 0xFFFF).Select(c => ((char)c).ToString()))
            .ListOf()
        select string.Concat(pieces));

    public static Config Runs(int count) => Config.QuickThrowOnFailure.WithMaxTest(count);

    private static Gen<RegistryParameters> Parameters(RegistryOperation operation) => operation switch
    {
        RegistryOperation.StartUpload =>
            from mount in Optional(Digests)
            from source in Names
            select new RegistryParameters { Mount = mount, From = mount is null ? null : source },
        RegistryOperation.CompleteUpload =>
            from digest in Optional(Digests)
            from ticket in Optional(Tickets)
            select new RegistryParameters { Digest = digest, Ticket = ticket },
        RegistryOperation.ReadUpload or RegistryOperation.AppendUpload or RegistryOperation.CancelUpload =>
            from ticket in Optional(Tickets)
            select new RegistryParameters { Ticket = ticket },
        RegistryOperation.ListCatalog or RegistryOperation.ListTags =>
            from size in Gen.OneOf(
                Gen.Choose(-1, 999999).Select(static size => (long)size), Gen.Constant(long.MaxValue))
            from last in Printable
            select new RegistryParameters { PageSize = size < 0 ? null : size, Last = last },
        RegistryOperation.ListReferrers =>
            from types in Printable.ListOf()
            select new RegistryParameters { ArtifactTypes = [.. types.Take(16).Select(type => type ?? "")] },
        _ => Gen.Constant(RegistryParameters.None),
    };

    private static RegistryMethod Method(RegistryOperation operation, bool head) => operation switch
    {
        RegistryOperation.Ping or RegistryOperation.ReadManifest or RegistryOperation.ReadBlob
            or RegistryOperation.ReadUpload => head ? RegistryMethod.Head : RegistryMethod.Get,
        RegistryOperation.PutManifest or RegistryOperation.CompleteUpload => RegistryMethod.Put,
        RegistryOperation.DeleteManifest or RegistryOperation.DeleteBlob or RegistryOperation.CancelUpload =>
            RegistryMethod.Delete,
        RegistryOperation.StartUpload => RegistryMethod.Post,
        RegistryOperation.AppendUpload => RegistryMethod.Patch,
        _ => RegistryMethod.Get,
    };

    private static Gen<T?> Optional<T>(Gen<T> gen)
        where T : class =>
        from present in ArbMap.Default.GeneratorFor<bool>()
        from value in gen
        select present ? value : null;

    private static Gen<string> Text(string alphabet, int min, int max) =>
        from length in Gen.Choose(min, max)
        from characters in Gen.Elements<char>(alphabet.ToCharArray()).ArrayOf(length)
        select new StringBuilder().Append(characters).ToString();

    private static Digest Parse(string text) =>
        Digest.TryParse(text, out var digest) ? digest : throw new InvalidOperationException(text);
}
