using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Registry;

public sealed class RegistryRequestParserTests
{
    [Theory]
    [InlineData("GET", "/v2/", RegistryOperation.Ping)]
    [InlineData("GET", "/v2", RegistryOperation.Ping)]
    [InlineData("HEAD", "/v2/", RegistryOperation.Ping)]
    [InlineData("GET", "/v2/_catalog", RegistryOperation.ListCatalog)]
    public void Parse_PathWithoutRepository_NamesNone(string method, string target, RegistryOperation operation)
    {
        var request = Accepted(method, target);

        Assert.Equal(operation, request.Operation);
        Assert.Equal(method, request.Method.ToString(), ignoreCase: true);
        Assert.Null(request.Repository);
        Assert.Same(RegistryParameters.None, request.Parameters);
    }

    [Theory]
    [InlineData("GET", "tags/list", RegistryOperation.ListTags)]
    [InlineData("GET", "referrers/" + Samples.Sha256, RegistryOperation.ListReferrers)]
    [InlineData("GET", "manifests/latest", RegistryOperation.ReadManifest)]
    [InlineData("HEAD", "manifests/latest", RegistryOperation.ReadManifest)]
    [InlineData("GET", "manifests/" + Samples.Sha512, RegistryOperation.ReadManifest)]
    [InlineData("PUT", "manifests/latest", RegistryOperation.PutManifest)]
    [InlineData("DELETE", "manifests/latest", RegistryOperation.DeleteManifest)]
    [InlineData("DELETE", "manifests/" + Samples.Sha256, RegistryOperation.DeleteManifest)]
    [InlineData("GET", "blobs/" + Samples.Sha256, RegistryOperation.ReadBlob)]
    [InlineData("HEAD", "blobs/" + Samples.Sha256, RegistryOperation.ReadBlob)]
    [InlineData("DELETE", "blobs/" + Samples.Sha256, RegistryOperation.DeleteBlob)]
    [InlineData("POST", "blobs/uploads/", RegistryOperation.StartUpload)]
    [InlineData("GET", "blobs/uploads/" + Samples.UploadId, RegistryOperation.ReadUpload)]
    [InlineData("HEAD", "blobs/uploads/" + Samples.UploadId, RegistryOperation.ReadUpload)]
    [InlineData("PATCH", "blobs/uploads/" + Samples.UploadId, RegistryOperation.AppendUpload)]
    [InlineData("PUT", "blobs/uploads/" + Samples.UploadId, RegistryOperation.CompleteUpload)]
    [InlineData("DELETE", "blobs/uploads/" + Samples.UploadId, RegistryOperation.CancelUpload)]
    public void Parse_RouteBehindAnyRepository_NamesOperationRepositoryAndItem(
        string method, string route, RegistryOperation operation)
    {
        // Route words in the name must not move the boundary: the keyword nearest the end decides.
        foreach (var name in new[]
        {
            "a", "team/app", "x/manifests", "manifests", "a/blobs/uploads", "blobs/uploads", "x/tags/list", "tags",
            "x/referrers", "v2", "v2/v2", "a/manifests/latest", "a/blobs/uploads/b",
        })
        {
            var request = Accepted(method, $"/v2/{name}/{route}");

            Assert.Equal(operation, request.Operation);
            Assert.Equal(method, request.Method.ToString(), ignoreCase: true);
            Assert.Equal(name, request.Repository?.Value);
            var item = request.Reference?.Value ?? request.Digest?.Value ?? request.Upload?.Value;
            Assert.Equal(operation is RegistryOperation.ListTags or RegistryOperation.StartUpload
                ? null : route[(route.LastIndexOf('/') + 1)..], item);
        }
    }

    [Theory]
    [InlineData("GET", "/v2/a/manifests/sha256%3A" + Samples.Hex64)]
    [InlineData("GET", "/v2/a/blobs/sha256%3a" + Samples.Hex64)]
    [InlineData("GET", "/v2/a/referrers/sha256%3A" + Samples.Hex64)]
    public void Parse_EncodedColonOfADigest_IsTheDigest(string method, string target)
    {
        var request = Accepted(method, target);

        Assert.Equal(Samples.Sha256, (request.Digest ?? request.Reference?.Digest)?.Value);
    }

    [Theory]
    [InlineData("/v2/a/manifests/sha256%3A")]
    [InlineData("/v2/a/manifests/sha256%3A%3A" + Samples.Hex64)]
    [InlineData("/v2/a/manifests/sha256:%3A" + Samples.Hex64)]
    [InlineData("/v2/a/manifests/sha256%253A" + Samples.Hex64)]
    [InlineData("/v2/a/manifests/sha256%3" + Samples.Hex64)]
    [InlineData("/v2/a/manifests/sha256%")]
    [InlineData("/v2/a/manifests/%73ha256:" + Samples.Hex64)]
    [InlineData("/v2/a/manifests/%73ha256%3A" + Samples.Hex64)]
    [InlineData("/v2/a/manifests/foo%3Abar")]
    [InlineData("/v2/a/manifests/%3A")]
    [InlineData("/v2/a/manifests/foo:bar")]
    [InlineData("/v2/a/manifests/lates%74")]
    [InlineData("/v2/a/manifests/a%2Fb")]
    [InlineData("/v2/a/manifests/latest%0A")]
    [InlineData("/v2/a/manifests/latest%00")]
    [InlineData("/v2/a/blobs/latest")]
    [InlineData("/v2/a/blobs/")]
    [InlineData("/v2/a/blobs/sha256:ABCDEF")]
    [InlineData("/v2/a/referrers/latest")]
    public void Parse_BrokenDigestOrEncoding_IsDigestInvalid(string target) =>
        Refused("GET", target, "DIGEST_INVALID", 400);

    [Theory]
    [InlineData("/v2/a/manifests/")]
    [InlineData("/v2/a/manifests/.")]
    [InlineData("/v2/a/manifests/..")]
    [InlineData("/v2/a/manifests/-x")]
    [InlineData("/v2/a/manifests/a+b")]
    [InlineData("/v2/a/manifests/latest;x=1")]
    [InlineData("/v2/a/manifests/a\\b")]
    public void Parse_BrokenTag_IsTagInvalid(string target) => Refused("GET", target, "TAG_INVALID", 400);

    [Theory]
    [InlineData("/v2/Foo/bar/manifests/latest")]
    [InlineData("/v2/team%2Fsecret/manifests/latest")]
    [InlineData("/v2/team%252Fsecret/manifests/latest")]
    [InlineData("/v2/pub/../secret/manifests/latest")]
    [InlineData("/v2/pub/%2e%2e/secret/manifests/latest")]
    [InlineData("/v2/pub/%252e%252e/secret/manifests/latest")]
    [InlineData("/v2/pub/..%2Fsecret/manifests/latest")]
    [InlineData("/v2/pub/./x/manifests/latest")]
    [InlineData("/v2/a//b/manifests/latest")]
    [InlineData("/v2//a/manifests/latest")]
    [InlineData("/v2/a//manifests/latest")]
    [InlineData("/v2/a\\b/manifests/latest")]
    [InlineData("/v2/a%5Cb/manifests/latest")]
    [InlineData("/v2/a%00/manifests/latest")]
    [InlineData("/v2/a;x/manifests/latest")]
    [InlineData("/v2/%61/manifests/latest")]
    [InlineData("/v2/_catalog/tags/list")]
    [InlineData("/v2/host:5000/a/tags/list")]
    public void Parse_NameOutsideTheGrammar_IsNameInvalid(string target) => Refused("GET", target, "NAME_INVALID", 400);

    [Fact]
    public void Parse_NameAtAndBeyondTheLimit_AcceptsTheFirstOnly()
    {
        Accepted("GET", $"/v2/{new string('a', 255)}/tags/list");
        Refused("GET", $"/v2/{new string('a', 256)}/tags/list", "NAME_INVALID", 400);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/V2/")]
    [InlineData("/v2x")]
    [InlineData("/v1/")]
    [InlineData("//v2/")]
    [InlineData("/./v2/")]
    [InlineData("/%76%32/")]
    [InlineData("/v%32/a/manifests/latest")]
    [InlineData("/v2%2Fa/manifests/latest")]
    [InlineData("/v2;x/")]
    [InlineData("/v2/a")]
    [InlineData("/v2/manifests/latest")]
    [InlineData("/v2/blobs/uploads/")]
    [InlineData("/v2//manifests/latest")]
    [InlineData("/v2/a/Manifests/latest")]
    [InlineData("/v2/a/%6danifests/latest")]
    [InlineData("/v2/a/manifests/latest/")]
    [InlineData("/v2/a/manifests/latest/x")]
    [InlineData("/v2/a/tags/list/")]
    [InlineData("/v2/a/tags/lists")]
    [InlineData("/v2/a/tags")]
    [InlineData("/v2/a/blobs/uploads/x/y")]
    [InlineData("/v2/a/uploads/x")]
    [InlineData("/v2/_catalog/")]
    [InlineData("/v2/_Catalog")]
    [InlineData("/v2/_catalo%67")]
    public void Parse_PathOutsideTheApi_Is404(string target) => Refused("GET", target, "UNSUPPORTED", 404);

    [Theory]
    [InlineData("/v2/a/blobs/uploads/.")]
    [InlineData("/v2/a/blobs/uploads/..")]
    [InlineData("/v2/a/blobs/uploads/a:b")]
    [InlineData("/v2/a/blobs/uploads/a%2Fb")]
    [InlineData("/v2/a/blobs/uploads/a%3D")]
    public void Parse_UploadIdNobodyIssued_IsUploadUnknown(string target) =>
        Refused("PATCH", target, "BLOB_UPLOAD_UNKNOWN", 404);

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("v2/")]
    [InlineData("http://registry/v2/")]
    [InlineData("https://other.example/v2/a/manifests/latest")]
    [InlineData("registry:443")]
    [InlineData(" /v2/")]
    [InlineData("/v2/a/manifests/latest#x")]
    [InlineData("/v2/?n=1#x")]
    [InlineData("/v2/a/manifests/latest ")]
    [InlineData("/v2/a\n/manifests/latest")]
    [InlineData("/v2/a/manifests/latest\0")]
    [InlineData("/v2/é/manifests/latest")]
    [InlineData("/v2/ａ/manifests/latest")]
    [InlineData("/v2/a/manifests/latest?x=é")]
    [InlineData("/v2/a/manifests/latest?x=\t")]
    [InlineData("/v2/\ud800/manifests/latest")]
    public void Parse_TargetThatIsNoPlainOriginForm_Is400(string target) => Refused("GET", target, "UNSUPPORTED", 400);

    [Fact]
    public void Parse_TargetAtAndBeyondTheLimit_AcceptsTheFirstOnly()
    {
        const string Start = "/v2/?x=";
        Accepted("GET", Start + new string('a', RegistryRequestParser.MaxTargetLength - Start.Length));
        Refused(
            "GET", Start + new string('a', RegistryRequestParser.MaxTargetLength - Start.Length + 1), "UNSUPPORTED",
            414);
    }

    [Theory]
    [InlineData("/v2/", "GET, HEAD", "GET HEAD")]
    [InlineData("/v2/_catalog", "GET", "GET")]
    [InlineData("/v2/a/tags/list", "GET", "GET")]
    [InlineData("/v2/a/referrers/" + Samples.Sha256, "GET", "GET")]
    [InlineData("/v2/a/manifests/latest", "GET, HEAD, PUT, DELETE", "GET HEAD PUT DELETE")]
    [InlineData("/v2/a/blobs/" + Samples.Sha256, "GET, HEAD, DELETE", "GET HEAD DELETE")]
    [InlineData("/v2/a/blobs/uploads/", "POST", "POST")]
    [InlineData("/v2/a/blobs/uploads/x", "GET, HEAD, PATCH, PUT, DELETE", "GET HEAD PATCH PUT DELETE")]
    public void Parse_AnyOtherMethodOfAKnownPath_Is405WithAllow(string target, string allow, string methods)
    {
        foreach (var method in new[]
        {
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "Get",
            "GET ", "", "\0", "ＧＥＴ", "PRI",
        })
        {
            if (methods.Split(' ').Contains(method))
            {
                Accepted(method, target);
            }
            else
            {
                var error = Refused(method, target, "UNSUPPORTED", 405);
                Assert.Equal(allow, error.Allow);
            }
        }
    }

    [Fact]
    public void Parse_WrongMethodOfAnUnknownPath_Is404()
    {
        var error = Refused("TRACE", "/v3/", "UNSUPPORTED", 404);

        Assert.Null(error.Allow);
    }

    [Fact]
    public void Parse_RefusedReferrers_NeverSaysThatTheRepositoryIsUnknown()
    {
        // oras gives up on NAME_UNKNOWN instead of falling back to the tag schema.
        foreach (var (method, target) in new[]
        {
            ("GET", "/v2/a/referrers/latest"), ("HEAD", "/v2/a/referrers/" + Samples.Sha256),
            ("GET", "/v2/a/referrers"), ("GET", "/v2/a/referrers/"), ("GET", "/v2/A/referrers/" + Samples.Sha256),
        })
        {
            Assert.NotEqual("NAME_UNKNOWN", RegistryRequestParser.Parse(method, target).Error?.Code);
        }
    }

    [Theory]
    [InlineData("GET", "/v2/Foo/bar/tags/list",
        "repository name \"Foo/bar\" is not valid: use lower-case letters and digits, joined by . _ - and /")]
    [InlineData("GET", "/v2/a/manifests/-x",
        "tag \"-x\" is not valid: use up to 128 letters, digits and . _ -, not beginning with . or -")]
    [InlineData("GET", "/v2/a/blobs/latest",
        "digest \"latest\" is not valid: send sha256, sha384 or sha512, a colon and lower-case hexadecimal digits")]
    [InlineData("PATCH", "/v2/a/manifests/latest",
        "method \"PATCH\" is not allowed here: use GET, HEAD, PUT, DELETE")]
    [InlineData("POST", "/v2/a/blobs/uploads",
        "path \"/v2/a/blobs/uploads\" is not part of the registry API: end it with a slash to start an upload")]
    [InlineData("GET", "/v2/\"\u001b[31m",
        "request target \"/v2/'?[31m\" has characters that no URL may contain: percent-encode them in the query, and "
            + "leave them out of the path")]
    public void Parse_Refusal_SaysWhatWasFoundAndWhatHelps(string method, string target, string message) =>
        Assert.Equal(message, RegistryRequestParser.Parse(method, target).Error?.Message);

    [Fact]
    public void Parse_LongInput_IsCutInTheMessage()
    {
        var error = Refused("GET", $"/v2/{new string('A', 200)}/tags/list", "NAME_INVALID", 400);

        Assert.Equal(
            $"repository name \"{new string('A', 64)}…\" is not valid: use lower-case letters and digits, joined by . "
                + "_ - and /",
            error.Message);
    }

    private static RegistryRequest Accepted(string method, string target)
    {
        var result = RegistryRequestParser.Parse(method, target);
        Assert.True(result.IsRequest, $"{method} {target}: {result.Error?.Message}");
        return result.Request;
    }

    private static RegistryError Refused(string method, string target, string code, int status)
    {
        var result = RegistryRequestParser.Parse(method, target);
        Assert.False(result.IsRequest, $"{method} {target} was accepted");
        Assert.Equal((code, status), (result.Error.Code, result.Error.StatusCode));
        return result.Error;
    }
}
