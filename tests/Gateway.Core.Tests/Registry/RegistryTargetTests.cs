using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Registry;

public sealed class RegistryTargetTests
{
    [Theory]
    [InlineData("GET", "/v2", "/v2/")]
    [InlineData("GET", "/v2/?ns=x", "/v2/")]
    [InlineData("GET", "/v2/_catalog?n=010&last=b/c+d~%7e&x=y", "/v2/_catalog?last=b%2Fc%20d~~&n=10")]
    [InlineData("GET", "/v2/a/tags/list?", "/v2/a/tags/list")]
    [InlineData("GET", "/v2/a/manifests/sha256%3a" + Samples.Hex64 + "?ns=x", "/v2/a/manifests/" + Samples.Sha256)]
    [InlineData("PUT", "/v2/a/manifests/v1.?tag=v2", "/v2/a/manifests/v1.")]
    [InlineData("POST", "/v2/a/blobs/uploads/?from=b/c&mount=" + Samples.Sha256 + "&origin=x",
        "/v2/a/blobs/uploads/?mount=sha256%3A" + Samples.Hex64 + "&from=b%2Fc")]
    [InlineData("POST", "/v2/a/blobs/uploads/?from=B&mount=" + Samples.Sha256, "/v2/a/blobs/uploads/")]
    [InlineData("PUT", "/v2/a/blobs/uploads/..=?_state=a=&_ticket=b&digest=" + Samples.Sha256,
        "/v2/a/blobs/uploads/..=?digest=sha256%3A" + Samples.Hex64)]
    [InlineData("PATCH", "/v2/a/blobs/uploads/u?_state=a&_ticket=b", "/v2/a/blobs/uploads/u")]
    [InlineData("GET", "/v2/a/referrers/" + Samples.Sha256 + "?artifactType=a/b%2Bc&artifactType=",
        "/v2/a/referrers/" + Samples.Sha256 + "?artifactType=a%2Fb%2Bc&artifactType=")]
    public void Build_ParsedRequest_IsWrittenAnew(string method, string target, string expected) =>
        Assert.Equal(expected, RegistryTarget.Build(RegistryRequestParser.Parse(method, target).Request!));

    [Fact]
    public void Build_OtherNames_ReplaceRepositoryAndSource()
    {
        var request = RegistryRequestParser.Parse(
            "POST", "/v2/mirror/a/blobs/uploads/?from=mirror/b&mount=" + Samples.Sha256).Request!;

        Assert.Equal(
            $"/v2/a/blobs/uploads/?mount=sha256%3A{Samples.Hex64}&from=b",
            RegistryTarget.Build(request, RepositoryName.Parse("a"), RepositoryName.Parse("b")));
        Assert.Equal(
            "/v2/a/blobs/uploads/",
            RegistryTarget.Build(request.WithoutMount(), RepositoryName.Parse("a"), RepositoryName.Parse("b")));
    }

    [Theory]
    [InlineData("", "/v2/b/blobs/uploads/u", "")]
    [InlineData("?", "/v2/b/blobs/uploads/u?", "&")]
    [InlineData("?_state=a%3d&x=%2F+%7e;{|}^`%zz&&", "/v2/b/blobs/uploads/u?_state=a%3d&x=%2F+%7e;{|}^`%zz&&", "&")]
    public void Build_ContinuedUpload_StandsWithTheUpstreamsOwnQueryInFront(string query, string expected, string joint)
    {
        var append = RegistryRequestParser.Parse("PATCH", "/v2/a/blobs/uploads/u?_ticket=t").Request!.Continuing(query);
        var complete = RegistryRequestParser.Parse(
            "PUT", "/v2/a/blobs/uploads/u?_ticket=t&digest=" + Samples.Sha256).Request!.Continuing(query);

        Assert.Equal(expected, RegistryTarget.Build(append, RepositoryName.Parse("b")));
        Assert.Equal(
            $"{expected}{(joint.Length == 0 ? "?" : joint)}digest=sha256%3A{Samples.Hex64}",
            RegistryTarget.Build(complete, RepositoryName.Parse("b")));
    }

    [Fact]
    public void Continuing_RequestWithoutAnUpload_IsAFault() =>
        Assert.Throws<InvalidOperationException>(() =>
            RegistryRequestParser.Parse("POST", "/v2/a/blobs/uploads/").Request!.Continuing("?_state=a"));

    [Fact]
    public void Build_AnyRequest_ParsesBackToItselfButForWhatNoClientSendsOrNoUpstreamSees() => Check.One(
        RegistryGenerators.Runs(5000),
        Prop.ForAll(RegistryGenerators.Requests.ToArbitrary(), static request =>
        {
            var target = RegistryTarget.Build(request);
            Assert.Equal(
                WithoutUploadState(request),
                RegistryRequestParser.Parse(request.Method.ToString().ToUpperInvariant(), target).Request);
        }));

    [Fact]
    public void Build_ContinuedUpload_IsTheUpstreamsQueryAndWhatWasDecided() => Check.One(
        RegistryGenerators.Runs(5000),
        Prop.ForAll(RegistryGenerators.ContinuedUploads.ToArbitrary(), static request =>
        {
            // A query that an upstream's Location may have hides nothing that is decided, and is not changed itself.
            var target = RegistryTarget.Build(request);
            var parameters = request.Parameters;
            var rest = RegistryTarget.Build(WithoutUploadState(request));
            var question = rest.IndexOf('?');
            Assert.Equal(
                parameters.UpstreamQuery is null ? rest
                : question < 0 ? rest + parameters.UpstreamQuery
                : $"{rest[..question]}{parameters.UpstreamQuery}&{rest[(question + 1)..]}",
                target);
            string[] decided = ["digest", "mount", "from", "_ticket"];
            var read = target[(target.IndexOf('?') + 1)..].Split('&', ';')
                .Select(pair => pair.Split('=', 2))
                .Where(pair => decided.Contains(WebUtility.UrlDecode(pair[0]), StringComparer.OrdinalIgnoreCase))
                .Select(pair => WebUtility.UrlDecode(pair[1]));
            Assert.Equal(parameters.Digest is null ? [] : [parameters.Digest.Value], read);
        }));

    [Fact]
    public void Build_AnyRequest_IsLeftAloneByUri() => Check.One(
        RegistryGenerators.Runs(5000),
        Prop.ForAll(RegistryGenerators.Requests.ToArbitrary(), static request =>
        {
            var target = RegistryTarget.Build(request);
            Assert.Equal(target, new Uri("http://upstream:5000" + target).PathAndQuery);
        }));

    [Fact]
    public void Build_AnyRequest_DecodesToTheParsedValues() => Check.One(
        RegistryGenerators.Runs(2000),
        Prop.ForAll(RegistryGenerators.Requests.ToArbitrary(), static request =>
        {
            var target = RegistryTarget.Build(request);
            var question = target.IndexOf('?');
            var pairs = question < 0 ? [] : target[(question + 1)..].Split('&')
                .Select(pair => pair.Split('='))
                .Select(pair => (pair[0], (string?)WebUtility.UrlDecode(pair[1])));
            var parameters = request.Parameters;
            Assert.Equal(
                parameters.ArtifactTypes.Select(type => ("artifactType", (string?)type))
                    .Append(("mount", parameters.Mount?.Value))
                    .Append(("from", parameters.From?.Value))
                    .Append(("digest", parameters.Digest?.Value))
                    .Append(("last", parameters.Last))
                    .Append(("n", parameters.PageSize?.ToString()))
                    .Where(pair => pair.Item2 is not null),
                pairs);
        }));

    [Fact]
    public void Parse_AnyText_NeverThrowsAndWhatItAcceptsIsAFixedPoint() => Check.One(
        RegistryGenerators.Runs(20000),
        Prop.ForAll(RegistryGenerators.Targets.ToArbitrary(), static target =>
        {
            foreach (var method in new[] { "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", target })
            {
                var result = RegistryRequestParser.Parse(method, target);
                if (result.IsRequest)
                {
                    Assert.Null(result.Request.Parameters.UpstreamQuery);
                    Assert.Equal(
                        WithoutUploadState(result.Request),
                        RegistryRequestParser.Parse(method, RegistryTarget.Build(result.Request)).Request);
                }
                else
                {
                    Assert.False(string.IsNullOrEmpty(result.Error.Message));
                    Assert.DoesNotContain(result.Error.Message, char.IsControl);
                }
            }

            Assert.Equal(RegistryLocation.TryParse(target, out var location), location is not null);
            Assert.Equal(RegistryLink.TryParse(target, out var link), link is not null);
        }));

    private static RegistryRequest WithoutUploadState(RegistryRequest request) =>
        request with { Parameters = request.Parameters with { Ticket = null, UpstreamQuery = null } };
}
