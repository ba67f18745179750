using System.Text;
using Gateway.Core.Registry;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Tokens.Service;

namespace Gateway.Tests.Server.Tokens.Service;

public sealed class TokenRequestParserTests
{
    private const string Service = "registry.test";

    [Theory]
    [InlineData(null, "", false)]
    [InlineData("?", "", false)]
    // Joxit
    [InlineData("?service=registry.test&scope=repository:team/app:pull,push", "repository:team/app:pull,push", false)]
    [InlineData("?scope=repository%3Ateam%2Fapp%3Apull&service=registry.test", "repository:team/app:pull", false)]
    [InlineData("?account=alice&client_id=docker&offline_token=true&service=registry.test", "", true)] // docker login
    [InlineData("?access_type=offline", "", true)]
    [InlineData("?offline_token=false&access_type=online", "", false)]
    [InlineData("?offline_token=TRUE", "", false)]
    // skopeo
    [InlineData("?scope=repository:a:pull&scope=repository:b:pull", "repository:a:pull repository:b:pull", false)]
    [InlineData("?scope=repository:a:pull+repository:a:push%20repository:b:*",
        "repository:a:pull,push repository:b:pull,push,delete", false)]
    [InlineData("?scope=%zz&scope=repository:a:pull&scope=nonsense&scope=", "repository:a:pull", false)]
    [InlineData("?service=", "", false)]
    [InlineData("?service=REGISTRY.test", "", false)] // host names have no case
    [InlineData(
        "?Service=elsewhere&SCOPE=repository:a:pull&account=bob&account=carol&client_id=a&client_id=b&x=%zz", "",
        false)]
    [InlineData("?scope=repository:registry.test/team/app:pull", "repository:team/app:pull", false)]
    public void ReadQuery_Request_IsReadAs(string? query, string scope, bool offline)
    {
        var (request, error) = TokenRequestParser.ReadQuery(query, default, Service);
        Assert.Null(error);
        Assert.Equal((scope, offline), (request!.Asked.ToString(), request.Offline));
    }

    [Theory]
    [InlineData("?service=elsewhere.test", "the service is unknown here; ask for \"registry.test\"")]
    [InlineData("?service=registry.test.evil", "the service is unknown here; ask for \"registry.test\"")]
    [InlineData("?service=registry.test%20", "the service is unknown here; ask for \"registry.test\"")]
    [InlineData(
        "?service=registry.test&service=registry.test",
        "the parameter service must appear once, percent-encoded as UTF-8")]
    [InlineData(
        "?service=registry.test&servic%65=elsewhere",
        "the parameter service must appear once, percent-encoded as UTF-8")]
    [InlineData("?service=%zz", "the parameter service must appear once, percent-encoded as UTF-8")]
    [InlineData(
        "?offline_token=true&offline_token=false",
        "the parameter offline_token must appear once, percent-encoded as UTF-8")]
    [InlineData(
        "?access_type=offline&access_type=online",
        "the parameter access_type must appear once, percent-encoded as UTF-8")]
    public void ReadQuery_Ambiguous_IsRefused(string query, string message)
    {
        var (request, error) = TokenRequestParser.ReadQuery(query, default, Service);
        Assert.Null(request);
        Assert.Equal(new RegistryError("UNSUPPORTED", 400, message) { OAuthCode = "invalid_request" }, error);
    }

    [Theory]
    [InlineData("grant_type=password&username=alice&password=pass+word%21", "alice", "pass word!")]
    [InlineData("client_id=x&password=p&username=alice&grant_type=password&account=bob", "alice", "p")]
    [InlineData("grant_type=refresh_token&refresh_token=rgf_x", "", "rgf_x")]
    [InlineData("grant_type=password&username=%3Ctoken%3E&password=rgf_x", "<token>", "rgf_x")]
    [InlineData("grant_type=password&username=alice&password=", "alice", "")]
    public void ReadForm_Grant_GivesTheseCredentials(string form, string userName, string password)
    {
        var (request, error) = ReadForm(form + "&service=registry.test&scope=repository:a:pull&access_type=offline");
        Assert.Null(error);
        Assert.Equal(PresentedCredentialsKind.Password, request!.Credentials.Kind);
        Assert.Equal(new BasicCredentials(userName, password), request.Credentials.Password);
        Assert.Equal(("repository:a:pull", true), (request.Asked.ToString(), request.Offline));
    }

    [Theory]
    [InlineData(
        "", "invalid_request",
        "grant_type must be \"password\", \"refresh_token\" or \"urn:ietf:params:oauth:grant-type:token-exchange\"")]
    [InlineData(
        "username=alice&password=x", "invalid_request",
        "grant_type must be \"password\", \"refresh_token\" or \"urn:ietf:params:oauth:grant-type:token-exchange\"")]
    [InlineData(
        "grant_type=", "unsupported_grant_type",
        "grant_type must be \"password\", \"refresh_token\" or \"urn:ietf:params:oauth:grant-type:token-exchange\"")]
    [InlineData(
        "grant_type=PASSWORD&username=a&password=b", "unsupported_grant_type",
        "grant_type must be \"password\", \"refresh_token\" or \"urn:ietf:params:oauth:grant-type:token-exchange\"")]
    [InlineData(
        "grant_type=client_credentials", "unsupported_grant_type",
        "grant_type must be \"password\", \"refresh_token\" or \"urn:ietf:params:oauth:grant-type:token-exchange\"")]
    [InlineData(
        "grant_type=password&grant_type=refresh_token", "invalid_request",
        "the parameter grant_type must appear once, percent-encoded as UTF-8")]
    [InlineData(
        "grant_type=password", "invalid_request",
        "send username and password with grant_type=password, and no refresh_token")]
    [InlineData(
        "grant_type=password&username=&password=", "invalid_request",
        "send username and password with grant_type=password, and no refresh_token")]
    [InlineData(
        "grant_type=password&username=alice", "invalid_request",
        "send username and password with grant_type=password, and no refresh_token")]
    [InlineData(
        "grant_type=password&username=a&password=b&refresh_token=c", "invalid_request",
        "send username and password with grant_type=password, and no refresh_token")]
    [InlineData(
        "grant_type=refresh_token", "invalid_request", "send refresh_token alone with grant_type=refresh_token")]
    [InlineData(
        "grant_type=refresh_token&refresh_token=", "invalid_request",
        "send refresh_token alone with grant_type=refresh_token")]
    [InlineData(
        "grant_type=refresh_token&refresh_token=a&username=b", "invalid_request",
        "send refresh_token alone with grant_type=refresh_token")]
    [InlineData(
        "grant_type=refresh_token&refresh_token=a&password=b", "invalid_request",
        "send refresh_token alone with grant_type=refresh_token")]
    [InlineData(
        "grant_type=password&username=a&username=b&password=c", "invalid_request",
        "the parameter username must appear once, percent-encoded as UTF-8")]
    [InlineData(
        "grant_type=password&username=a&password=b&password=c", "invalid_request",
        "the parameter password must appear once, percent-encoded as UTF-8")]
    [InlineData(
        "grant_type=password&username=a&password=%FF", "invalid_request",
        "the parameter password must appear once, percent-encoded as UTF-8")]
    [InlineData(
        "grant_type=refresh_token&refresh_token=a&refresh_token=b", "invalid_request",
        "the parameter refresh_token must appear once, percent-encoded as UTF-8")]
    [InlineData(
        "grant_type=password&username=a&password=b&service=x", "invalid_request",
        "the service is unknown here; ask for \"registry.test\"")]
    public void ReadForm_WrongOrAmbiguous_IsRefused(string form, string code, string message)
    {
        var (request, error) = ReadForm(form);
        Assert.Null(request);
        Assert.Equal(new RegistryError("UNSUPPORTED", 400, message) { OAuthCode = code }, error);
    }

    [Fact]
    public void ReadForm_MoreParametersThanAnybodySends_IsRefused() =>
        Assert.Equal(400, ReadForm(string.Concat(Enumerable.Repeat("x&", 2000))).Error!.StatusCode);

    private static (TokenRequest? Request, RegistryError? Error) ReadForm(string form) =>
        TokenRequestParser.ReadForm(Encoding.ASCII.GetBytes(form), Service);
}
