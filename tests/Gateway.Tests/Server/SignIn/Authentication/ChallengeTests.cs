using System.Text.RegularExpressions;
using Gateway.Core.Registry;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

/// <summary>
/// The challenge, compared as bytes, and read again by the rules of the clients that are known to be picky.
/// </summary>
public sealed partial class ChallengeTests
{
    private const string Host = "localhost:8443";
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    public static TheoryData<string?, string, string?, string> Headers => new()
    {
        // scope, error, description, the header
        { null, "None", null, """Bearer realm="https://localhost:8443/token",service="localhost:8443" """ },
        { null, "None", "told to nobody", """Bearer realm="https://localhost:8443/token",service="localhost:8443" """ },
        {
            "repository:team/app:pull", "None", null,
            """Bearer realm="https://localhost:8443/token",service="localhost:8443",scope="repository:team/app:pull" """
        },
        {
            "repository:team/app:pull,push", "InsufficientScope", "request another",
#pragma warning disable RCS0056 // one line of text
            """Bearer realm="https://localhost:8443/token",service="localhost:8443",scope="repository:team/app:pull,push",error="insufficient_scope",error_description="request another" """
#pragma warning restore RCS0056
        },
        {
            null, "InvalidToken", "it expired",
#pragma warning disable RCS0056 // one line of text
            """Bearer realm="https://localhost:8443/token",service="localhost:8443",error="invalid_token",error_description="it expired" """
#pragma warning restore RCS0056
        },
        {
            "registry:catalog:*", "InvalidToken", "",
#pragma warning disable RCS0056 // one line of text
            """Bearer realm="https://localhost:8443/token",service="localhost:8443",scope="registry:catalog:*",error="invalid_token" """
#pragma warning restore RCS0056
        },
        {
            null, "InvalidToken", "run \"docker\\login\"\r\n, Basic or BEARER: été",
#pragma warning disable RCS0056 // one line of text
            """Bearer realm="https://localhost:8443/token",service="localhost:8443",error="invalid_token",error_description="run 'docker'login'??, password or token: ?t?" """
#pragma warning restore RCS0056
        },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void Bearer_OfTheseParts_IsThisLine(string? scope, string error, string? description, string expected) =>
        Assert.Equal(
            expected.TrimEnd(),
            Challenge.Bearer("https://" + Host, Host, scope, Enum.Parse<ChallengeError>(error), description));

    [Theory]
    [MemberData(nameof(Headers))]
    public void Bearer_ReadByPickyClients_IsUnderstood(
        string? scope, string error, string? description, string expected)
    {
        var header = Challenge.Bearer("https://" + Host, Host, scope, Enum.Parse<ChallengeError>(error), description);
        Assert.NotEmpty(expected);

        // Joxit's UI: realm, service and scope next to one another, in this order.
        Assert.Equal(scope is not null, JoxitChallenge().IsMatch(header));
        // The OCI conformance suite: the last scheme name anywhere is the scheme.
        Assert.Equal("Bearer", ConformanceScheme().Match(header).Groups[1].Value);
        // docker and containers/image: token "=" quoted-string, separated by commas; an empty value ends their reading.
        var rest = header["Bearer ".Length..];
        var names = new List<string>();
        while (rest.Length > 0)
        {
            var match = Parameter().Match(rest);
            Assert.True(match.Success, rest);
            Assert.NotEmpty(match.Groups[2].Value);
            names.Add(match.Groups[1].Value);
            rest = rest[match.Length..];
        }

        Assert.Equal(names.Distinct(), names);
        // containerd: the scope splits at spaces. containers/image: a scope with other than two colons is not retried.
        if (scope is not null)
        {
            Assert.DoesNotContain(' ', scope);
            Assert.Equal(2, scope.Count(static c => c == ':'));
        }

        // go-containerregistry: the realm is an absolute https URL on the registry's own host.
        var realm = new Uri(Parameter().Match(header["Bearer ".Length..]).Groups[2].Value);
        Assert.Equal(("https", Host, "/token"), (realm.Scheme, realm.Authority, realm.AbsolutePath));
        Assert.All(header, static c => Assert.InRange(c, ' ', '~'));
    }

    [Fact]
    public void Bearer_LongDescription_IsCut() => Assert.EndsWith(
        $"error_description=\"{new string('x', 256)}\"",
        Challenge.Bearer("https://h", "h", null, ChallengeError.InvalidToken, new string('x', 10_000)),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("GET", "/v2/", null)]
    [InlineData("HEAD", "/v2/", null)]
    [InlineData("GET", "/v2/_catalog", "registry:catalog:*")]
    [InlineData("GET", "/v2/team/app/tags/list", "repository:team/app:pull")]
    [InlineData("GET", $"/v2/team/app/referrers/{Digest}", "repository:team/app:pull")]
    [InlineData("GET", "/v2/team/app/manifests/v1", "repository:team/app:pull")]
    [InlineData("HEAD", "/v2/team/app/manifests/v1", "repository:team/app:pull")]
    [InlineData("PUT", "/v2/team/app/manifests/v1", "repository:team/app:pull,push")]
    [InlineData("DELETE", "/v2/team/app/manifests/v1", "repository:team/app:delete")]
    [InlineData("GET", $"/v2/team/app/blobs/{Digest}", "repository:team/app:pull")]
    [InlineData("DELETE", $"/v2/team/app/blobs/{Digest}", "repository:team/app:delete")]
    [InlineData("POST", "/v2/team/app/blobs/uploads/", "repository:team/app:pull,push")]
    [InlineData(
        "POST", $"/v2/team/app/blobs/uploads/?mount={Digest}&from=secret/base", "repository:team/app:pull,push")]
    [InlineData("GET", "/v2/team/app/blobs/uploads/u1", "repository:team/app:pull,push")]
    [InlineData("PATCH", "/v2/team/app/blobs/uploads/u1", "repository:team/app:pull,push")]
    [InlineData("PUT", $"/v2/team/app/blobs/uploads/u1?digest={Digest}", "repository:team/app:pull,push")]
    [InlineData("DELETE", "/v2/team/app/blobs/uploads/u1", "repository:team/app:pull,push")]
    public void ScopeOf_Request_IsAllItNeedsOnItsOwnRepository(string method, string target, string? expected)
    {
        var request = RegistryRequestParser.Parse(method, target);
        Assert.Equal(expected, Challenge.ScopeOf(request.Request!));
    }

    [GeneratedRegex("Bearer realm=\"[^\"]+\",service=\"[^\"]+\",scope=\"[^\"]+\"")]
    private static partial Regex JoxitChallenge();

    [GeneratedRegex("^.*(basic|bearer)", RegexOptions.IgnoreCase)]
    private static partial Regex ConformanceScheme();

    [GeneratedRegex("""\A,?([a-z_]+)="([^"\\]*)"(?=,[a-z]|\z)""")]
    private static partial Regex Parameter();
}
