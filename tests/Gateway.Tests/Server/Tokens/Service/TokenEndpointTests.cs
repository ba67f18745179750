using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Gateway.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using static Gateway.Tests.Support.TokenAnswers;

namespace Gateway.Tests.Server.Tokens.Service;

/// <summary>The token endpoint of a whole gateway: every kind of request, and what is answered, to the byte.</summary>
public sealed class TokenEndpointTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    private const string Form = "application/x-www-form-urlencoded";
    private const string WrongPassword = "authentication failed: the user name or password is wrong; run \"docker "
        + "login\" again";

    private readonly TestGateway _gateway = shared.Gateway;

    [Fact]
    public async Task Get_WithAPassword_AnswersWithATokenAndNothingThatTiesClientsToTheirClock()
    {
        var reply = await _gateway.AskAsync(
            "?account=alice&client_id=docker&service=registry.test&scope=repository:team-a/app:pull,push,delete",
            TestGateway.Basic("alice"));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        var token = reply.Text("token");
        Assert.Equal(
            $$"""{"token":"{{token}}","access_token":"{{token}}","expires_in":300,"scope":"repository:team-a/app:pull,push"}""",
            reply.Body);
        Assert.Equal("application/json", reply.Http.Content.Headers.ContentType!.ToString());
        AssertNotStored(reply);
    }

    [Theory]
    [InlineData(null, "?scope=repository:public/app:pull,push", "repository:public/app:pull")]
    [InlineData(null, "?scope=repository:team-a/app:pull", "")]
    [InlineData(null, "", "")]
    [InlineData(null, "?scope=registry:catalog:*", "registry:catalog:*")]
    [InlineData(TestGateway.Nobody, "?scope=repository:public/app:pull", "repository:public/app:pull")]
    [InlineData("bob", "?scope=repository:team-a/app:*", "repository:team-a/app:pull")]
    [InlineData("bob", "?scope=repository:team-b/app:pull", "")]
    [InlineData(
        "alice", "?scope=repository:team-a/app:pull&scope=repository:team-a/app:push",
        "repository:team-a/app:pull,push")]
    [InlineData("alice", "?scope=repository:team-a/a:pull+repository:public/b:pull,push+repository:x:pull",
        "repository:team-a/a:pull repository:public/b:pull")]
    [InlineData("alice", "?scope=repository:registry.test/team-a/app:pull", "repository:team-a/app:pull")]
    [InlineData("alice", "?scope=repository(plugin):team-a/app:pull", "repository:team-a/app:pull")]
    [InlineData("alice", "?scope=nonsense&scope=repository:TEAM-A/app:pull", "")]
    [InlineData(
        "admin", "?scope=repository:any/thing:*+registry:catalog:*",
        "repository:any/thing:pull,push,delete registry:catalog:*")]
    [InlineData("admin", "?service=registry.test", "")]
    [InlineData("admin", "?offline_token=true", "")] // asked for, but refresh tokens are off
    public async Task Get_ByThisCaller_IsGrantedThis(string? user, string query, string granted)
    {
        var reply = await _gateway.AskAsync(query, user is null ? null : TestGateway.Basic(user));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal(granted, reply.Text("scope"));
        Assert.Null(reply.Text("refresh_token"));
        AssertNotStored(reply);
    }

    [Theory]
    [InlineData("Basic YWxpY2U6d3Jvbmc=", WrongPassword)] // alice:wrong
    [InlineData("Basic bWFsbG9yeTp3cm9uZw==", WrongPassword)] // mallory:wrong; whether she exists does not show
    [InlineData("Basic YWxpY2U6", // alice without a password is not anonymous
        "authentication failed: the user name or password is wrong; the password is empty; in a script, check that "
            + "its variable is set")]
    [InlineData("Basic OmFsaWNl", WrongPassword)]
    [InlineData("Basic !!!",
        "authentication failed: the credentials cannot be read: what follows \"Basic\" is not base64 of name:password")]
    [InlineData("Digest username=\"alice\"",
        "authentication failed: the credentials cannot be read: the Authorization header is neither \"Basic\" nor "
            + "\"Bearer\", followed by one space")]
    [InlineData("Bearer abc",
        "authentication failed: the token is not accepted: the token endpoint accepts user name and password, or a "
            + "refresh token")]
    public async Task Get_WrongCredentials_AreNeverAnonymousAlsoForAPublicScope(string authorization, string message)
    {
        var reply = await _gateway.AskAsync("?scope=repository:public/app:pull", authorization);

        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        Assert.Equal("Basic realm=\"registry.test\"", reply.Challenge);
        AssertError(reply, "UNAUTHORIZED", message, "invalid_grant");
        AssertNotStored(reply);
    }

    [Fact]
    public async Task Get_WithAnAccessToken_BuysNoOther()
    {
        var token = await _gateway.BearerAsync("repository:team-a/app:pull", TestGateway.Basic("alice"));

        var asBearer = await _gateway.AskAsync("?scope=repository:team-a/app:pull", token);
        var asPassword = await _gateway.AskAsync(
            "?scope=repository:team-a/app:pull", BasicOf("alice", token["Bearer ".Length..]));

        Assert.Equal(HttpStatusCode.Unauthorized, asBearer.Status);
        Assert.Equal(HttpStatusCode.Unauthorized, asPassword.Status);
    }

    [Fact]
    public async Task Get_WithAPersonalToken_LastsNoLongerThanThat()
    {
        var (brief, _) = await _gateway.AddPersonalTokenAsync("alice", TimeSpan.FromSeconds(100));
        var (over, _) = await _gateway.AddPersonalTokenAsync("alice", TimeSpan.FromSeconds(-1));
        var (ending, _) = await _gateway.AddPersonalTokenAsync("alice", TimeSpan.FromMilliseconds(900));

        var lasting = await _gateway.AskAsync("", BasicOf("alice", brief));
        var refused = new[]
        {
            await _gateway.AskAsync("", BasicOf("alice", over)),
            await _gateway.AskAsync("", BasicOf("alice", ending)),
        };

        Assert.InRange(lasting.Json.GetProperty("expires_in").GetInt32(), 1, 100);
        Assert.All(refused, static reply =>
        {
            Assert.Equal((HttpStatusCode.Unauthorized, "invalid_grant"), (reply.Status, reply.Text("error")));
            Assert.Contains(" expired", reply.Text("error_description"), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Get_RepeatedAuthorization_IsRefused()
    {
        var answer = await _gateway.SendRawAsync(
            $"GET /token HTTP/1.1\r\nHost: registry.test\r\nAuthorization: {TestGateway.Basic("alice")}\r\n"
            + $"Authorization: {TestGateway.Basic("bob")}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("Cache-Control: no-store\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?service=elsewhere.test", "the service is unknown here; ask for \"registry.test\"")]
    [InlineData(
        "?service=registry.test&service=registry.test",
        "the parameter service must appear once, percent-encoded as UTF-8")]
    [InlineData(
        "?offline_token=true&offline_token=true",
        "the parameter offline_token must appear once, percent-encoded as UTF-8")]
    public async Task Get_UnknownServiceOrRepeatedParameter_IsABadRequest(string query, string message)
    {
        var reply = await _gateway.AskAsync(query, TestGateway.Basic("alice"));

        Assert.Equal(HttpStatusCode.BadRequest, reply.Status);
        AssertError(reply, "UNSUPPORTED", message, "invalid_request");
        AssertNotStored(reply);
    }

    [Theory]
    [InlineData("HEAD")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    public async Task OtherMethod_IsNotAllowed(string method)
    {
        var reply = await ReplyAsync(_gateway.SendAsync(new HttpMethod(method), "/token", "alice"));

        Assert.Equal(HttpStatusCode.MethodNotAllowed, reply.Status);
        Assert.Equal(["GET", "POST"], reply.Http.Content.Headers.Allow);
        AssertNotStored(reply);
    }

    [Theory]
    [InlineData("/TOKEN")]
    [InlineData("/Token")]
    [InlineData("/token/")]
    [InlineData("/token/x")]
    [InlineData("/v2/token")]
    public async Task OtherSpelling_IsNotTheEndpoint(string path)
    {
        var reply = await ReplyAsync(_gateway.SendAsync(HttpMethod.Get, path, "alice"));

        Assert.Equal(HttpStatusCode.NotFound, reply.Status);
    }

    [Fact]
    public async Task Post_PasswordGrant_IsGrantedAsByGet()
    {
        var reply = await _gateway.PostAsync(
            ("grant_type", "password"), ("service", "registry.test"), ("client_id", "containerd-client"),
            ("username", "alice"), ("password", "alice-password"), ("access_type", "offline"),
            ("scope", "repository:team-a/app:pull repository:team-a/app:pull,push"),
            ("scope", "repository:public/x:pull"));

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal("repository:team-a/app:pull,push repository:public/x:pull", reply.Text("scope"));
        Assert.Equal(reply.Text("token"), reply.Text("access_token"));
        Assert.Null(reply.Text("refresh_token"));
        AssertNotStored(reply);
    }

    [Theory]
    [InlineData("alice", "wrong", "run \"docker login\" again")]
    [InlineData("mallory", "wrong", "run \"docker login\" again")]
    [InlineData("alice", "", "the password is empty; in a script, check that its variable is set")]
    [InlineData(
        "alice", "alice\0password", "the password holds a control character (a tab, a NUL or a line break inside)")]
    [InlineData(
        "alice", "alice-password\n",
        "the password ends in a line break, which a file or \"echo\" adds; send it without (printf %s)")]
    [InlineData(
        "mallory", "alice-password\n",
        "the password ends in a line break, which a file or \"echo\" adds; send it without (printf %s)")]
    public async Task Post_WrongPassword_IsUnauthorized(string user, string password, string hint)
    {
        var reply = await _gateway.PostAsync(("grant_type", "password"), ("username", user), ("password", password));

        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        AssertError(
            reply, "UNAUTHORIZED", "authentication failed: the user name or password is wrong; " + hint,
            "invalid_grant");
        AssertNotStored(reply);
    }

    [Theory]
    [InlineData(
        "grant_type=client_credentials", "unsupported_grant_type",
        "grant_type must be \"password\", \"refresh_token\" or \"urn:ietf:params:oauth:grant-type:token-exchange\"")]
    [InlineData(
        "", "invalid_request",
        "grant_type must be \"password\", \"refresh_token\" or \"urn:ietf:params:oauth:grant-type:token-exchange\"")]
    [InlineData(
        "grant_type=password", "invalid_request",
        "send username and password with grant_type=password, and no refresh_token")]
    public async Task Post_OtherGrant_IsABadRequest(string form, string code, string message)
    {
        var reply = await PostAsync(form, Form);

        Assert.Equal(HttpStatusCode.BadRequest, reply.Status);
        AssertError(reply, "UNSUPPORTED", message, code);
        AssertNotStored(reply);
    }

    [Theory]
    [InlineData(Form, HttpStatusCode.OK)]
    [InlineData("APPLICATION/X-WWW-FORM-URLENCODED", HttpStatusCode.OK)]
    [InlineData(Form + "; charset=utf-8", HttpStatusCode.OK)]
    [InlineData(Form + ";charset=UTF-8", HttpStatusCode.OK)]
    [InlineData(Form + "; charset=\"utf-8\"", HttpStatusCode.OK)]
    [InlineData(Form + "; charset=utf-16", HttpStatusCode.UnsupportedMediaType)]
    [InlineData(Form + "; charset=utf-8; x=y", HttpStatusCode.UnsupportedMediaType)]
    [InlineData(Form + ", text/plain", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("multipart/form-data; boundary=x", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("text/plain", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("", HttpStatusCode.UnsupportedMediaType)]
    [InlineData(null, HttpStatusCode.UnsupportedMediaType)]
    public async Task Post_OfThisType_IsReadOnlyAsAForm(string? type, HttpStatusCode expected)
    {
        var reply = await PostAsync("grant_type=password&username=alice&password=alice-password", type);

        Assert.Equal(expected, reply.Status);
        AssertNotStored(reply);
    }

    [Fact]
    public async Task Post_TwoPlacesForCredentialsOrParameters_IsRefused()
    {
        var twice = await PostAsync(
            "grant_type=password&username=alice&password=alice-password", Form, "/token",
            ("Authorization", TestGateway.Basic("bob")));
        var headerOnly = await PostAsync(
            "grant_type=password", Form, "/token", ("Authorization", TestGateway.Basic("bob")));
        var query = await PostAsync(
            "grant_type=password&username=alice&password=alice-password", Form,
            "/token?scope=repository:team-a/app:pull");

        AssertError(
            twice, "UNSUPPORTED", "send the credentials in the form, without an Authorization header",
            "invalid_request");
        Assert.Equal(HttpStatusCode.BadRequest, headerOnly.Status);
        AssertError(query, "UNSUPPORTED", "send the parameters in the form, not in the query", "invalid_request");
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (twice.Status, query.Status));
    }

    [Theory]
    [InlineData(0, false, HttpStatusCode.OK)]
    [InlineData(0, true, HttpStatusCode.OK)]
    [InlineData(1, false, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData(1, true, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData(1_000_000, true, HttpStatusCode.RequestEntityTooLarge)]
    public async Task Post_FormOf64KiBAndMore_IsReadUpToThere(int beyond, bool chunked, HttpStatusCode expected)
    {
        const string start = "grant_type=password&username=alice&password=alice-password&x=";
        var content = new StringContent(start + new string('y', 65_536 + beyond - start.Length), Encoding.ASCII);
        content.Headers.ContentType = new MediaTypeHeaderValue(Form);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://{TestGateway.Host}/token")
        {
            Content = content,
        };
        request.Headers.TransferEncodingChunked = chunked;

        var reply = await ReplyAsync(_gateway.Client.SendAsync(request));

        Assert.Equal(expected, reply.Status);
        AssertNotStored(reply);
        if (beyond > 0)
        {
            AssertError(reply, "UNSUPPORTED", "the form is larger than 64 KiB", "invalid_request");
        }
    }

    [Theory]
    [InlineData("http://localhost:8080", null, "?scope=repository:team-a/app:pull", HttpStatusCode.Unauthorized)]
    [InlineData("null", null, "?scope=repository:team-a/app:pull", HttpStatusCode.Unauthorized)]
    [InlineData("http://localhost:8080", null, "", HttpStatusCode.Unauthorized)]
    // it would get something
    [InlineData("http://localhost:8080", null, "?scope=repository:public/app:pull", HttpStatusCode.OK)]
    [InlineData(
        "http://localhost:8080", null, "?scope=repository:public/app:pull+repository:team-a/app:pull",
        HttpStatusCode.OK)]
    // asked before
    [InlineData("http://localhost:8080", TestGateway.Nobody, "?scope=repository:team-a/app:pull", HttpStatusCode.OK)]
    [InlineData("http://localhost:8080", "bob", "?scope=repository:team-b/app:pull", HttpStatusCode.OK)]
    [InlineData(null, null, "?scope=repository:team-a/app:pull", HttpStatusCode.OK)] // docker without a login
    public async Task Get_ByABrowserWithoutCredentialsThatWouldGetNothing_IsAskedForBasic(
        string? origin, string? user, string query, HttpStatusCode expected)
    {
        var reply = await _gateway.AskAsync(
            query, user is null ? null : TestGateway.Basic(user), origin is null ? [] : [("Origin", origin)]);

        Assert.Equal(expected, reply.Status);
        Assert.Equal(expected == HttpStatusCode.OK ? null : "Basic realm=\"registry.test\"", reply.Challenge);
        AssertNotStored(reply);
    }

    [Fact]
    public async Task Login_AsDockerDoesIt_IsAPingATokenAndAPing()
    {
        var challenged = await _gateway.RegistryAsync("GET", "/v2/", null);
        var token = await _gateway.AskAsync(
            "?account=bob&client_id=docker&offline_token=true&service=registry.test", TestGateway.Basic("bob"));
        var signedIn = await _gateway.RegistryAsync("GET", "/v2/", "Bearer " + token.Text("token"));

        Assert.Equal("Bearer realm=\"https://registry.test/token\",service=\"registry.test\"", challenged.Challenge);
        Assert.Equal((HttpStatusCode.OK, "{}"), (signedIn.Status, signedIn.Body));
    }

    [Fact]
    public async Task SeveralHosts_EachHasItsOwnServiceAndTokensDoNotMix()
    {
        await using var gateway = await TestGateway.StartAsync(
            shared.Upstream.Address, change: static options => options.Hosts = ["other.test:8443"]);
        var ping = await SendAsync("/v2/", "");
        var foreign = await SendAsync("/token?service=registry.test", TestGateway.Basic("alice"));
        var own = await SendAsync("/token?service=other.test:8443", TestGateway.Basic("alice"));
        var token = "Bearer " + own.Split("\"token\":\"")[1].Split('"')[0];
        var here = await SendAsync("/v2/", token);
        var there = await gateway.RegistryAsync("GET", "/v2/", token);

        Assert.Contains(
            "\r\nWWW-Authenticate: Bearer realm=\"https://other.test:8443/token\",service=\"other.test:8443\"\r\n",
            ping, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400 ", foreign, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", here, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, there.Status);
        Assert.Contains("error=\"invalid_token\"", there.Challenge, StringComparison.Ordinal);

        Task<string> SendAsync(string target, string authorization) => gateway.SendRawAsync(
            $"GET {target} HTTP/1.1\r\nHost: other.test:8443\r\nConnection: close\r\n"
            + (authorization == "" ? "\r\n" : $"Authorization: {authorization}\r\n\r\n"));
    }

    [Fact]
    public async Task SignInThatCannotBeDecided_IsComeAgainAndNotUnauthorized()
    {
        await using var gateway = await TestGateway.StartAsync(
            shared.Upstream.Address,
            customize: static builder => builder.Services.AddSingleton<ICredentialVerifier, GoneDirectory>());

        var get = await gateway.AskAsync("?scope=repository:public/app:pull", BasicOf("carol", "secret"));
        var post = await gateway.PostAsync(("grant_type", "password"), ("username", "carol"), ("password", "secret"));
        var known = await gateway.AskAsync("", TestGateway.Basic("alice"));

        foreach (var reply in new[] { get, post })
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, reply.Status);
            Assert.Equal("5", reply.Http.Headers.GetValues("Retry-After").Single());
            Assert.Null(reply.Challenge);
            AssertNotStored(reply);
        }

        Assert.Equal(HttpStatusCode.OK, known.Status);
    }

    private static string BasicOf(string user, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

    private static void AssertNotStored(Reply reply)
    {
        Assert.Equal("no-store", reply.Http.Headers.GetValues("Cache-Control").Single());
        Assert.Equal("no-cache", reply.Http.Headers.GetValues("Pragma").Single());
    }

    private static void AssertError(Reply reply, string code, string message, string oauthCode)
    {
        var id = reply.Http.Headers.GetValues("X-Request-Id").Single();
        var escaped = message.Replace("\"", "\\\"", StringComparison.Ordinal);
        var description = message.Replace('"', '\'');
        // Only a refused sign-in has it: docker's engine makes "unknown" of any other answer that does.
        var details = code == "UNAUTHORIZED" ? $",\"details\":\"{escaped}\"" : "";
        Assert.Equal(
            $"{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"{escaped}\",\"detail\":{{\"requestId\":\"{id}\"}}}}],"
            + $"\"error\":\"{oauthCode}\",\"error_description\":\"{description}\"{details}}}",
            reply.Body);
    }

    private Task<Reply> PostAsync(
        string form, string? type, string target = "/token", params (string, string)[] headers)
    {
        var content = new ByteArrayContent(Encoding.ASCII.GetBytes(form));
        if (type is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        return ReplyAsync(_gateway.SendAsync(HttpMethod.Post, target, null, content, headers));
    }

    private sealed class GoneDirectory : ICredentialVerifier
    {
        public string Method => "ldap:gone";

        public ValueTask<AuthenticationResult> VerifyAsync(
            BasicCredentials credentials, CancellationToken cancellationToken) =>
            ValueTask.FromResult<AuthenticationResult>(
                new AuthenticationResult.Undecided("the directory does not answer"));
    }
}
