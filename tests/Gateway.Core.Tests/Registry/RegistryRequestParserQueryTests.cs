using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Registry;

public sealed class RegistryRequestParserQueryTests
{
    private const string Start = "/v2/team/app/blobs/uploads/";
    private const string Upload = Start + Samples.UploadId;

    [Theory]
    [InlineData("?mount=" + Samples.Sha256 + "&from=lib/base")]
    [InlineData("?from=lib%2Fbase&mount=sha256%3A" + Samples.Hex64)]
    [InlineData("?from=lib%2fbase&mount=sha256%3a" + Samples.Hex64 + "&ns=docker.io&origin=x&tag=a&tag=b")]
    [InlineData("?&&mount=" + Samples.Sha256 + "&&from=l%69b/base&")]
    [InlineData("?mount=" + Samples.Sha256 + "&from=lib/base&digest-algorithm=sha512&a;b&%zz=1&x=%zz")]
    public void StartUpload_MountAndItsSource_AreReadAsTheRegistryReadsThem(string query)
    {
        var parameters = Accepted("POST", Start + query);

        Assert.Equal(Samples.Sha256, parameters.Mount?.Value);
        Assert.Equal("lib/base", parameters.From?.Value);
        Assert.Null(parameters.Digest);
    }

    [Theory]
    [InlineData("?mount=" + Samples.Sha256)]
    [InlineData("?from=lib/base")]
    [InlineData("?mount=&from=")]
    [InlineData("?mount&from")]
    [InlineData("?mount=" + Samples.Sha256 + "&from=")]
    [InlineData("?mount=" + Samples.Sha256 + "&from=Lib/base")]
    [InlineData("?mount=" + Samples.Sha256 + "&from=lib//base")]
    [InlineData("?mount=" + Samples.Sha256 + "&from=../secret")]
    [InlineData("?mount=" + Samples.Sha256 + "&from=lib%252Fbase")]
    [InlineData("?mount=" + Samples.Sha256 + "&from=lib%0A")]
    [InlineData("?mount=" + Samples.Sha256 + "&from=lib+base")]
    [InlineData("?mount=" + Samples.Sha256 + "&from=%C3%A9")]
    [InlineData("?mount=" + Samples.Sha256 + "&from=lib=base")]
    [InlineData("?mount=latest&from=lib/base")]
    [InlineData("?mount=sha256:ABC&from=lib/base")]
    public void StartUpload_MountThatCannotBeDone_BecomesAnOrdinaryUpload(string query) =>
        Assert.Same(RegistryParameters.None, Accepted("POST", Start + query));

    [Theory]
    [InlineData("?from=a&from=a")]
    [InlineData("?from=a&from=b")]
    [InlineData("?mount=x&mount=y")]
    [InlineData("?digest=" + Samples.Sha256 + "&digest=" + Samples.Sha256)]
    [InlineData("?_ticket=a&_ticket=b")]
    [InlineData("?n=1&n=1")]
    [InlineData("?last=a&x=y&last=b")]
    [InlineData("?from&from")]
    [InlineData("?From=a")]
    [InlineData("?FROM=a")]
    [InlineData("?from=a&From=b")]
    [InlineData("?MOUNT=a")]
    [InlineData("?Digest=a")]
    [InlineData("?_Ticket=a")]
    [InlineData("?N=1")]
    [InlineData("?LAST=1")]
    [InlineData("?%66rom=a")]
    [InlineData("?%66%72%6f%6d=a")]
    [InlineData("?%46rom=a")]
    [InlineData("?%2566rom=a")]
    [InlineData("?%25252566rom=a")]
    [InlineData("?mo%75nt=a")]
    [InlineData("?%64igest=a")]
    [InlineData("?%5Fticket=a")]
    [InlineData("?x;_ticket=a")]
    [InlineData("?_ticket=%zz")]
    [InlineData("?%6e=1")]
    [InlineData("?%6Cast=1")]
    [InlineData("?+from=a")]
    [InlineData("?from%20=a")]
    [InlineData("?from%0A=a")]
    [InlineData("?x;from=a")]
    [InlineData("?x=1;from=a")]
    [InlineData("?from=a;b")]
    [InlineData("?from=a;x=b")]
    [InlineData("?;%66rom=a")]
    [InlineData("?x=1;FROM=a")]
    [InlineData("?n=1;last=a")]
    [InlineData("?from=%zz")]
    [InlineData("?from=a%")]
    [InlineData("?from=a%2")]
    [InlineData("?mount=%g0")]
    [InlineData("?last=%")]
    public void AnyOperation_ParameterThatTwoReadersCouldReadDifferently_IsRefused(string query)
    {
        foreach (var (method, target) in new[]
        {
            ("POST", Start),
            ("PUT", Upload),
            ("GET", "/v2/_catalog"),
            ("GET", "/v2/"),
        })
        {
            Refused(method, target + query, "UNSUPPORTED", 400);
        }
    }

    [Theory]
    [InlineData("?")]
    [InlineData("?ns=docker.io&ns=b&tag=a&tag=b&origin=o")]
    [InlineData("?Ns=1&foo[]=1&a;b;c=d&=x&=")]
    [InlineData("?fromm=a&xfrom=b&fro=c&from.x=d&nn=1&mounts=x")]
    [InlineData("?%zz=1&%=2&x=%zz&x=%zz")]
    [InlineData("?x=from=a")]
    [InlineData("?x=%26from=a")]
    [InlineData("?x%26from=a")]
    [InlineData("?artifactType=a;b")]
    // the upstream's comes from the ticket alone
    [InlineData("?_state=a&_state=b&_State=c&%5Fstate=d;_state=e&_state=%zz")]
    public void AnyOperation_HarmlessUnknownParameters_AreDropped(string query)
    {
        foreach (var (method, target) in new[]
        {
            ("POST", Start), ("PATCH", Upload), ("GET", "/v2/_catalog"), ("GET", "/v2/"), ("GET", "/v2/a/manifests/b"),
        })
        {
            Assert.Same(RegistryParameters.None, Accepted(method, target + query));
        }
    }

    [Fact]
    public void OtherOperations_KnownParametersTheyDoNotHave_AreDropped()
    {
        const string All = "?mount=" + Samples.Sha256 + "&from=a&digest=" + Samples.Sha256
            + "&_ticket=a&_state=b&n=1&last=x&artifactType=y";
        foreach (var (method, target) in new[]
        {
            ("GET", "/v2/"), ("GET", "/v2/a/manifests/b"), ("PUT", "/v2/a/manifests/b"),
            ("DELETE", "/v2/a/manifests/b"),
            ("GET", "/v2/a/blobs/" + Samples.Sha256), ("DELETE", "/v2/a/blobs/" + Samples.Sha256),
        })
        {
            Assert.Same(RegistryParameters.None, Accepted(method, target + All));
        }

        Assert.Equal(
            new RegistryParameters { Ticket = "a" }, Accepted("PATCH", Upload + All));
        Assert.Equal(
            new RegistryParameters { PageSize = 1, Last = "x" }, Accepted("GET", "/v2/_catalog" + All));
        Assert.Equal(
            new RegistryParameters { ArtifactTypes = ["y"] },
            Accepted("GET", "/v2/a/referrers/" + Samples.Sha256 + All));
    }

    [Theory]
    [InlineData("?digest=" + Samples.Sha256, Samples.Sha256)]
    [InlineData("?digest=sha256%3A" + Samples.Hex64, Samples.Sha256)]
    [InlineData("?digest=" + Samples.Sha512, Samples.Sha512)]
    public void Digest_Valid_IsKeptAtTheEndOfAnUploadAndDroppedAtItsStart(string query, string digest)
    {
        Assert.Null(Accepted("POST", Start + query).Digest);
        Assert.Equal(digest, Accepted("PUT", Upload + query).Digest?.Value);
    }

    [Theory]
    [InlineData("?digest=")]
    [InlineData("?digest")]
    [InlineData("?digest=latest")]
    [InlineData("?digest=md5:abc")]
    [InlineData("?digest=sha256:ABC")]
    [InlineData("?digest=+" + Samples.Sha256)]
    [InlineData("?digest=" + Samples.Sha256 + "%0A")]
    public void Digest_Malformed_IsRefusedAtStartAndEndOfAnUpload(string query)
    {
        Refused("POST", Start + query, "DIGEST_INVALID", 400);
        Refused("PUT", Upload + query, "DIGEST_INVALID", 400);
    }

    [Theory]
    [InlineData("?_ticket=" + Samples.Ticket)]
    [InlineData("?_state=x&_ticket=" + Samples.Ticket + "&x=y")]
    [InlineData("?_ticket=Zm9v%5F%2dYmFy0123456789")]
    public void Ticket_OfItsAlphabet_IsKeptOnEveryUploadOperation(string query)
    {
        foreach (var method in new[] { "GET", "HEAD", "PATCH", "PUT", "DELETE" })
        {
            Assert.Equal(new RegistryParameters { Ticket = Samples.Ticket }, Accepted(method, Upload + query));
        }

        Assert.Same(RegistryParameters.None, Accepted("POST", Start + query));
    }

    [Theory]
    [InlineData("?_ticket=")]
    [InlineData("?_ticket")]
    public void Ticket_Empty_IsNone(string query) =>
        Assert.Same(RegistryParameters.None, Accepted("PATCH", Upload + query));

    [Theory]
    [InlineData("?_ticket=a+b")]
    [InlineData("?_ticket=a/b")]
    [InlineData("?_ticket=a%2Bb")]
    [InlineData("?_ticket=a%00")]
    [InlineData("?_ticket=a.b")]
    [InlineData("?_ticket=a=")]
    [InlineData("?_ticket=a%3D")]
    [InlineData("?_ticket=%C3%A9")]
    public void Ticket_OfAnotherAlphabet_IsRefused(string query) =>
        Refused("PATCH", Upload + query, "BLOB_UPLOAD_INVALID", 404);

    [Fact]
    public void Ticket_AtAndBeyondTheLimit_AcceptsTheFirstOnly()
    {
        Assert.Equal(6144, Accepted("PATCH", Upload + "?_ticket=" + new string('a', 6144)).Ticket?.Length);
        Refused("PATCH", Upload + "?_ticket=" + new string('a', 6145), "BLOB_UPLOAD_INVALID", 404);
    }

    [Theory]
    [InlineData("?n=0", 0)]
    [InlineData("?n=1", 1)]
    [InlineData("?n=007", 7)]
    [InlineData("?n=999999", 999999)]
    [InlineData("?n=1000000", 1_000_000)]
    [InlineData("?n=0000005", 5)]
    [InlineData("?n=00000000000000000000000000000005", 5)]
    [InlineData("?n=9223372036854775807", long.MaxValue)]
    [InlineData("?n=%31%30", 10)]
    public void PageSize_Digits_IsRead(string query, long pageSize)
    {
        Assert.Equal(pageSize, Accepted("GET", "/v2/_catalog" + query).PageSize);
        Assert.Equal(pageSize, Accepted("GET", "/v2/a/tags/list" + query).PageSize);
    }

    [Theory]
    [InlineData("?n=")]
    [InlineData("?n")]
    [InlineData("?n=-1")]
    [InlineData("?n=+1")]
    [InlineData("?n=%2B1")]
    [InlineData("?n=9223372036854775808")] // 2.8 takes its default, 3 refuses
    [InlineData("?n=99999999999999999999999")]
    [InlineData("?n=%201")]
    [InlineData("?n=1.0")]
    [InlineData("?n=0x10")]
    [InlineData("?n=1_0")]
    [InlineData("?n=%D9%A3")] // ٣
    [InlineData("?n=ten")]
    [InlineData("?n=1%20")]
    [InlineData("?n=1%00")]
    public void PageSize_AnythingElse_IsRefused(string query)
    {
        Refused("GET", "/v2/_catalog" + query, "PAGINATION_NUMBER_INVALID", 400);
        Refused("GET", "/v2/a/tags/list" + query, "PAGINATION_NUMBER_INVALID", 400);
    }

    [Theory]
    [InlineData("?last=b%2Fc&n=2", "b/c")]
    [InlineData("?last=b/c", "b/c")]
    [InlineData("?last=a+b", "a b")]
    [InlineData("?last=a%2Bb", "a+b")]
    [InlineData("?last=%25", "%")]
    [InlineData("?last=x=y", "x=y")]
    public void Last_PrintableText_IsDecodedOnce(string query, string last) =>
        Assert.Equal(last, Accepted("GET", "/v2/_catalog" + query).Last);

    [Theory]
    [InlineData("?last=%00")]
    [InlineData("?last=a%0Ab")]
    [InlineData("?last=%7F")]
    [InlineData("?last=%C3%A9")]
    public void Last_ControlOrForeignCharacters_IsRefused(string query) =>
        Refused("GET", "/v2/_catalog" + query, "UNSUPPORTED", 400);

    [Fact]
    public void Last_AtAndBeyondTheLimit_AcceptsTheFirstOnly()
    {
        Assert.Equal(512, Accepted("GET", "/v2/_catalog?last=" + new string('a', 512)).Last?.Length);
        Refused("GET", "/v2/_catalog?last=" + new string('a', 513), "UNSUPPORTED", 400);
    }

    [Fact]
    public void ArtifactType_SentSeveralTimes_KeepsAllInOrder()
    {
        var parameters = Accepted(
            "GET",
            "/v2/a/referrers/" + Samples.Sha256 + "?artifactType=application/b%2Bjson&artifactType=a&artifactType=a");

        Assert.Equal(["application/b+json", "a", "a"], parameters.ArtifactTypes);
    }

    [Fact]
    public void ArtifactType_TooManyTooLongOrUnprintable_IsRefused()
    {
        const string Target = "/v2/a/referrers/" + Samples.Sha256 + "?";
        var sixteen = string.Join('&', Enumerable.Repeat("artifactType=a", 16));

        Assert.Equal(16, Accepted("GET", Target + sixteen).ArtifactTypes.Count);
        Refused("GET", Target + sixteen + "&artifactType=a", "UNSUPPORTED", 400);
        Accepted("GET", Target + "artifactType=" + new string('a', 255));
        Refused("GET", Target + "artifactType=" + new string('a', 256), "UNSUPPORTED", 400);
        Refused("GET", Target + "artifactType=%0A", "UNSUPPORTED", 400);
    }

    [Theory]
    [InlineData("?From=a", "query parameter \"From\" is ambiguous: "
        + "spell mount, from, digest, _ticket, n and last in lower case and without percent-encoding")]
    [InlineData("?from=a&from=b", "query parameter \"from\" appears more than once: send it once")]
    [InlineData("?x;from=a", "query \"x;from=a\" is ambiguous: separate parameters with \"&\" and send \";\" as %3B")]
    [InlineData("?from=%zz", "query value \"%zz\" has a broken escape: write a percent sign as %25")]
    [InlineData("?digest=x", "digest \"x\" is not valid: "
        + "send sha256, sha384 or sha512, a colon and lower-case hexadecimal digits")]
    public void Refusal_OfAParameter_SaysWhatWasFoundAndWhatHelps(string query, string message) =>
        Assert.Equal(message, RegistryRequestParser.Parse("POST", Start + query).Error?.Message);

    private static RegistryParameters Accepted(string method, string target)
    {
        var result = RegistryRequestParser.Parse(method, target);
        Assert.True(result.IsRequest, $"{method} {target}: {result.Error?.Message}");
        return result.Request.Parameters;
    }

    private static void Refused(string method, string target, string code, int status)
    {
        var result = RegistryRequestParser.Parse(method, target);
        Assert.False(result.IsRequest, $"{method} {target} was accepted");
        Assert.Equal((code, status), (result.Error.Code, result.Error.StatusCode));
    }
}
