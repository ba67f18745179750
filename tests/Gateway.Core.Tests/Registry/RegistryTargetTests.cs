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
    [InlineData("PUT", "/v2/a/blobs/uploads/..=?_state=a=&digest=" + Samples.Sha256,
        "/v2/a/blobs/uploads/..=?digest=sha256%3A" + Samples.Hex64 + "&_state=a%3D")]
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

    [Fact]
    public void Build_AnyRequest_ParsesBackToItself() => Check.One(
        RegistryGenerators.Runs(5000),
        Prop.ForAll(RegistryGenerators.Requests.ToArbitrary(), static request =>
        {
            var target = RegistryTarget.Build(request);
            Assert.Equal(request, RegistryRequestParser.Parse(request.Method.ToString().ToUpperInvariant(), target).Request);
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
                    .Append(("_state", parameters.State))
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
                    Assert.Equal(result.Request, RegistryRequestParser.Parse(method, RegistryTarget.Build(result.Request)).Request);
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
}
