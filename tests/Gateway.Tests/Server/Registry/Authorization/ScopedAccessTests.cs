using System.Net;
using System.Text;
using Gateway.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using static Gateway.Tests.Support.TokenAnswers;

namespace Gateway.Tests.Server.Registry.Authorization;

/// <summary>
/// Rights at a request: policy now, the limit of the credential, the scope of the access token, whichever is less. And
/// what each of the three says where it is the one that lacks.
/// </summary>
public sealed class ScopedAccessTests : IAsyncLifetime
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    // Each user may do to p/app what the name says; everybody may pull public.
    private const string Policy = """
        groups: { team-a: [alice] }
        rules:
          - { name: pullers, to: ["user:bob"], role: reader, on: ["p/**"] }
          - { name: writers, to: ["group:team-a"], role: writer, on: ["p/**"] }
          - { name: owners, to: ["user:admin"], role: owner, on: ["**"] }
          - { name: released, deny: [overwrite, delete], on: ["p/**"], tags: ["v*"] }
          - { name: public, to: [anonymous, authenticated], role: reader, on: ["public/**"] }
        """;

    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _gateway = await TestGateway.StartAsync(_upstream.Address, Policy);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    public static TheoryData<string> Users => ["admin", "alice", "bob"];

    [Theory]
    [MemberData(nameof(Users))]
    public async Task Request_ByPolicyLimitAndScope_PassesOnlyWhereAllThreeAllow(string user)
    {
        var byPolicy = user switch { "admin" => "pull push delete", "alice" => "pull push", _ => "pull" };
        string?[] limits = [null, "**:pull", "p/*:pull,push", "p/app:delete", "other/**:pull,push,delete"];
        string?[] scopes =
        [
            null, "", "repository:p/app:pull", "repository:p/app:push", "repository:p/app:pull,push",
            "repository:p/app:delete",
            "repository:p/app:*", "repository:p/other:*", "registry:catalog:*",
        ];
        (string Method, string Path, string Needs)[] operations =
        [
            ("GET", "manifests/latest", "pull"), ("GET", $"blobs/{Digest}", "pull"),
            ("PUT", "manifests/latest", "pull push"),
            ("POST", "blobs/uploads/", "pull push"), ("DELETE", "manifests/latest", "delete"),
        ];
        foreach (var limit in limits)
        {
            var signIn = TestGateway.Basic(user);
            if (limit is not null)
            {
                var (secret, _) = await _gateway.AddPersonalTokenAsync(user, null, limit);
                signIn = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}"));
            }

            foreach (var scope in scopes)
            {
                var authorization = scope is null ? signIn : await _gateway.BearerAsync(scope, signIn);
                foreach (var (method, rest, needs) in operations)
                {
                    var before = _upstream.Requests.Count;

                    var reply = await _gateway.RegistryAsync(method, "/v2/p/app/" + rest, authorization);

                    var policyAllows = Holds(byPolicy, needs);
                    var limitAllows = limit is null || (Covers(limit) && Holds(Actions(limit), needs));
                    // A token holds of what was asked only what could be granted when it was issued.
                    var scopeAllows = scope is null
                        || (scope.StartsWith("repository:p/app:", StringComparison.Ordinal)
                            && Holds(string.Join(' ', Actions(scope).Split(' ', ',').Where(action =>
                                Holds(byPolicy, action) && (limit is null || Holds(Actions(limit), action)))), needs));
                    var expected = !policyAllows || !limitAllows ? HttpStatusCode.Forbidden
                        : !scopeAllows ? HttpStatusCode.Unauthorized
                        : HttpStatusCode.OK;
                    Assert.True(
                        expected == reply.Status,
                        $"{user} {limit} {scope} {method} {rest}: {reply.Status}, not {expected}");
                    Assert.Equal(expected == HttpStatusCode.OK ? 1 : 0, _upstream.Requests.Count - before);
                    if (expected == HttpStatusCode.Unauthorized)
                    {
                        Assert.Contains(
                            $",scope=\"repository:p/app:{needs.Replace(' ', ',')}\",error=\"insufficient_scope\",",
                            reply.Challenge, StringComparison.Ordinal);
                    }
                }
            }
        }

        static bool Covers(string limit) => !limit.StartsWith("other", StringComparison.Ordinal);

        static string Actions(string text) =>
            text[(text.LastIndexOf(':') + 1)..].Replace("*", "pull push delete", StringComparison.Ordinal);

        // Push brings pull.
        static bool Holds(string granted, string needs) => needs.Split(' ').All(need =>
            granted.Contains(need, StringComparison.Ordinal)
                || (need == "pull" && granted.Contains("push", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ScopeTooNarrow_IsChallengedWithExactlyWhatTheRequestNeeds()
    {
        var token = await _gateway.BearerAsync("repository:p/app:pull", TestGateway.Basic("alice"));

        var reply = await _gateway.RegistryAsync("PUT", "/v2/p/app/manifests/latest", token);

        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        Assert.Equal(
            "Bearer realm=\"https://registry.test/token\",service=\"registry.test\",scope=\"repository:p/app:pull,"
            + "push\",error=\"insufficient_scope\",error_description=\"the token does not grant push here; request "
            + "another\"",
            reply.Challenge);
        Assert.Equal("UNAUTHORIZED", reply.Json.GetProperty("errors")[0].GetProperty("code").GetString());

        // What the challenge asks for is enough.
        var asked = reply.Challenge!.Split("scope=\"")[1].Split('"')[0];
        var wider = await _gateway.BearerAsync(asked, TestGateway.Basic("alice"));
        Assert.Equal(
            HttpStatusCode.OK, (await _gateway.RegistryAsync("PUT", "/v2/p/app/manifests/latest", wider)).Status);
    }

    [Fact]
    public async Task PolicyRefusesAKnownCaller_Is403WithTheReasonWhateverTheTokenSays()
    {
        var token = await _gateway.BearerAsync("repository:p/app:pull", TestGateway.Basic("bob"));

        var reply = await _gateway.RegistryAsync("PUT", "/v2/p/app/manifests/latest", token);

        Assert.Equal(HttpStatusCode.Forbidden, reply.Status);
        Assert.Null(reply.Challenge);
        Assert.Contains("user:bob may not push p/app:latest", reply.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LimitTooNarrow_Is403WithTheLimitAndTheFix()
    {
        var (secret, _) = await _gateway.AddPersonalTokenAsync("alice", null, "p/**:pull", "q/**:pull,push");

        foreach (var authorization in new[]
        {
            "Bearer " + secret,
            await _gateway.BearerAsync(
                "repository:p/app:pull,push",
                "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("token:" + secret))),
        })
        {
            var reply = await _gateway.RegistryAsync("PUT", "/v2/p/app/manifests/latest", authorization);

            Assert.Equal(HttpStatusCode.Forbidden, reply.Status);
            Assert.Null(reply.Challenge);
            var error = reply.Json.GetProperty("errors")[0];
            Assert.Equal("DENIED", error.GetProperty("code").GetString());
            Assert.Equal(
                "the token of user:alice may not push p/app: it is limited to p/**:pull q/**:pull,push; "
                + "use a token for this repository, or sign in with the password",
                error.GetProperty("message").GetString());
            Assert.Equal("p/**:pull q/**:pull,push", error.GetProperty("detail").GetProperty("limit").GetString());
        }
    }

    [Fact]
    public async Task AnonymousToken_BeyondWhatAnybodyMay_IsToldToSignIn()
    {
        var token = await _gateway.BearerAsync("repository:p/app:pull repository:public/app:pull");

        var pull = await _gateway.RegistryAsync("GET", "/v2/public/app/manifests/latest", token);
        var other = await _gateway.RegistryAsync("GET", "/v2/p/app/manifests/latest", token);
        var push = await _gateway.RegistryAsync("POST", "/v2/public/app/blobs/uploads/", token);
        var unasked = await _gateway.RegistryAsync("GET", "/v2/public/other/manifests/latest", token);

        Assert.Equal(HttpStatusCode.OK, pull.Status);
        Assert.Equal(
            "Bearer realm=\"https://registry.test/token\",service=\"registry.test\",scope=\"repository:p/app:pull\","
            + "error=\"insufficient_scope\",error_description=\"this needs a sign-in; run docker login\"",
            other.Challenge);
        Assert.Equal(
            "Bearer realm=\"https://registry.test/token\",service=\"registry.test\",scope=\"repository:public/app:"
            + "pull,push\",error=\"insufficient_scope\",error_description=\"this needs a sign-in; run docker login\"",
            push.Challenge);
        Assert.Equal(
            "Bearer realm=\"https://registry.test/token\",service=\"registry.test\",scope=\"repository:public/other:"
            + "pull\",error=\"insufficient_scope\",error_description=\"the token does not grant pull here; request "
            + "another\"",
            unasked.Challenge);
    }

    [Theory]
    [InlineData("GET", "/v2/", null)]
    [InlineData("HEAD", "/v2/", null)]
    [InlineData("GET", "/v2/_catalog", "registry:catalog:*")]
    [InlineData("GET", "/v2/public/app/manifests/latest", "repository:public/app:pull")] // also where anybody may
    [InlineData("GET", "/v2/p/app/tags/list", "repository:p/app:pull")]
    [InlineData("POST", "/v2/p/app/blobs/uploads/", "repository:p/app:pull,push")]
    [InlineData("DELETE", "/v2/p/app/manifests/latest", "repository:p/app:delete")]
    public async Task NoCredentials_AreAlwaysChallengedWithoutAnError(string method, string target, string? scope)
    {
        var reply = await _gateway.RegistryAsync(method, target, null);

        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        Assert.Equal(
            "Bearer realm=\"https://registry.test/token\",service=\"registry.test\""
                + (scope is null ? "" : $",scope=\"{scope}\""),
            reply.Challenge);
        Assert.Empty(_upstream.Requests);
    }

    [Theory]
    [InlineData("abc")]
    [InlineData("eyJhbGciOiJub25lIn0.e30.")]
    [InlineData("")]
    public async Task TokenThatIsNone_IsInvalidAlsoWhereAnybodyMay(string token)
    {
        var reply = await _gateway.RegistryAsync("GET", "/v2/public/app/manifests/latest", "Bearer " + token);

        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        Assert.Equal(
            "Bearer realm=\"https://registry.test/token\",service=\"registry.test\",scope=\"repository:public/app:"
            + "pull\",error=\"invalid_token\",error_description=\"the token is not valid here\"",
            reply.Challenge);
    }

    [Theory]
    [InlineData("", HttpStatusCode.OK)]
    [InlineData("repository:nothing/here:pull", HttpStatusCode.OK)]
    [InlineData("registry:catalog:*", HttpStatusCode.OK)]
    public async Task Ping_WithAnyToken_Passes(string scope, HttpStatusCode expected)
    {
        Assert.Equal(expected, (await _gateway.RegistryAsync("GET", "/v2/", await _gateway.BearerAsync(scope))).Status);
        Assert.Equal(
            expected,
            (await _gateway.RegistryAsync(
                "GET", "/v2/", await _gateway.BearerAsync(scope, TestGateway.Basic("bob")))).Status);
    }

    [Fact]
    public async Task Ping_WhereAnonymousMayDoNothing_PassesWithAnAnonymousTokenOnly()
    {
        await using var gateway = await TestGateway.StartAsync(_upstream.Address, "rules: []");

        Assert.Equal(
            HttpStatusCode.OK, (await gateway.RegistryAsync("GET", "/v2/", await gateway.BearerAsync(""))).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await gateway.RegistryAsync("GET", "/v2/", TestGateway.Basic(TestGateway.Nobody))).Status);
    }

    [Fact]
    public async Task Mount_FromWhatTheCredentialMayNotPull_BecomesAnOrdinaryUpload()
    {
        var alice = TestGateway.Basic("alice");
        var (narrow, _) = await _gateway.AddPersonalTokenAsync("alice", null, "p/app:pull,push");
        var (wide, _) = await _gateway.AddPersonalTokenAsync("alice", null, "p/**:pull,push");
        (string Authorization, bool Mounts)[] cases =
        [
            (alice, true),
            ("Bearer " + narrow, false),
            ("Bearer " + wide, true),
            (await _gateway.BearerAsync("repository:p/app:pull,push", alice), false),
            (await _gateway.BearerAsync("repository:p/app:pull,push repository:p/base:pull", alice), true),
            (await _gateway.BearerAsync("repository:p/app:pull,push repository:p/base:delete", alice), false),
        ];
        foreach (var (authorization, mounts) in cases)
        {
            var reply = await _gateway.RegistryAsync(
                "POST", $"/v2/p/app/blobs/uploads/?mount={Digest}&from=p/base", authorization);

            Assert.Equal(HttpStatusCode.OK, reply.Status); // as the upstream answered, and never a refusal
            Assert.Equal(mounts, _upstream.Requests[^1].Target.Contains("mount", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task TagRule_IsAskedUpstreamOnlyOnceTheScopeAllows()
    {
        _upstream.Respond = static context =>
        {
            context.Response.Headers["Docker-Content-Digest"] = Digest;
            return Task.CompletedTask;
        };
        var pull = await _gateway.BearerAsync("repository:p/app:pull", TestGateway.Basic("alice"));
        var push = await _gateway.BearerAsync("repository:p/app:pull,push", TestGateway.Basic("alice"));

        var narrow = await _gateway.RegistryAsync("PUT", "/v2/p/app/manifests/v1", pull);
        Assert.Equal(HttpStatusCode.Unauthorized, narrow.Status);
        Assert.Empty(_upstream.Requests);

        var moved = await _gateway.RegistryAsync("PUT", "/v2/p/app/manifests/v1", push);
        Assert.Equal(HttpStatusCode.Forbidden, moved.Status);
        Assert.Equal(["HEAD"], _upstream.Requests.Select(static request => request.Method));
    }

    [Fact]
    public async Task Catalog_ShowsPolicyAndLimitTogetherAndNeedsItsScope()
    {
        _upstream.Respond = static context =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync("""{"repositories":["p/app","p/base","public/app","q/app"]}""");
        };
        var bob = TestGateway.Basic("bob");
        var (secret, _) = await _gateway.AddPersonalTokenAsync("bob", null, "p/app:pull", "q/**:pull", "p/base:delete");
        (string? Authorization, string? Names)[] cases =
        [
            (bob, "p/app p/base public/app"),
            (await _gateway.BearerAsync("registry:catalog:*", bob), "p/app p/base public/app"),
            ("Bearer " + secret, "p/app"),
            (await _gateway.BearerAsync(
                "registry:catalog:*", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("bob:" + secret))),
                "p/app"),
            (await _gateway.BearerAsync("registry:catalog:*"), "public/app"),
            (TestGateway.Basic(TestGateway.Nobody), "public/app"),
            (null, null),
            (await _gateway.BearerAsync("repository:p/app:pull", bob), null),
            (await _gateway.BearerAsync(""), null),
        ];
        foreach (var (authorization, names) in cases)
        {
            var reply = await _gateway.RegistryAsync("GET", "/v2/_catalog", authorization);

            if (names is not null)
            {
                Assert.Equal(
                    names,
                    string.Join(
                        ' ',
                        reply.Json.GetProperty("repositories")
                            .EnumerateArray()
                            .Select(static name => name.GetString())));
                continue;
            }

            Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
            Assert.Contains(",scope=\"registry:catalog:*\"", reply.Challenge, StringComparison.Ordinal);
            Assert.Equal(
                authorization is not null,
                reply.Challenge!.Contains("error=\"insufficient_scope\"", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Catalog_ForWhoMayDoNothing_IsEmptyByPasswordAndByTokenAlike()
    {
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, "rules: [ { name: alice, to: [\"user:alice\"], role: reader, on: [\"p/**\"] } ]");

        var bobs = await gateway.BearerAsync("registry:catalog:*", TestGateway.Basic("bob"));
        var nobodys = await gateway.AskAsync("?scope=registry:catalog:*");

        Assert.Equal(
            """{"repositories":[]}""",
            (await gateway.RegistryAsync("GET", "/v2/_catalog", TestGateway.Basic("bob"))).Body);
        Assert.Equal("""{"repositories":[]}""", (await gateway.RegistryAsync("GET", "/v2/_catalog", bobs)).Body);
        Assert.Equal("", nobodys.Text("scope"));
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await gateway.RegistryAsync("GET", "/v2/_catalog", "Bearer " + nobodys.Text("token"))).Status);
    }

    [Fact]
    public async Task PolicyChanged_BitesATokenThatWasIssuedBefore()
    {
        var token = await _gateway.BearerAsync("repository:p/app:pull,push", TestGateway.Basic("alice"));
        Assert.Equal(
            HttpStatusCode.OK, (await _gateway.RegistryAsync("PUT", "/v2/p/app/manifests/latest", token)).Status);

        await File.WriteAllTextAsync(
            _gateway.PolicyFile, Policy.Replace("role: writer", "role: reader", StringComparison.Ordinal));

        await Eventually.TrueAsync(async () =>
            (await _gateway.RegistryAsync(
                "PUT", "/v2/p/app/manifests/latest", token)).Status == HttpStatusCode.Forbidden);
        Assert.Equal(
            HttpStatusCode.OK, (await _gateway.RegistryAsync("GET", "/v2/p/app/manifests/latest", token)).Status);
    }

    [Fact]
    public async Task Denied_LooksTheSameWhetherTheRepositoryExists()
    {
        _upstream.Respond = static context =>
        {
            context.Response.StatusCode = context.Request.Path.Value!.Contains("exists", StringComparison.Ordinal)
                ? 200
                : 404;
            return Task.CompletedTask;
        };
        foreach (var authorization in new[]
        {
            TestGateway.Basic("bob"),
            await _gateway.BearerAsync("repository:q/exists:pull repository:q/absent:pull", TestGateway.Basic("bob")),
        })
        {
            var exists = await _gateway.RegistryAsync("GET", "/v2/q/exists/manifests/latest", authorization);
            var absent = await _gateway.RegistryAsync("GET", "/v2/q/absent/manifests/latest", authorization);

            Assert.Equal(HttpStatusCode.Forbidden, exists.Status);
            Assert.Equal(Anonymize(exists, "exists"), Anonymize(absent, "absent"));
        }

        Assert.Empty(_upstream.Requests);

        static string Anonymize(Reply reply, string name) => reply.Body
            .Replace(name, "x", StringComparison.Ordinal)
            .Replace(reply.Http.Headers.GetValues("X-Request-Id").Single(), "id", StringComparison.Ordinal);
    }

    [Fact]
    public async Task BasicChallenge_WhereConfigured_IsAsItWasAndTokensWorkStill()
    {
        await using var gateway = await TestGateway.StartAsync(
            _upstream.Address, Policy,
            change: static options => options.Authentication.Challenge = ChallengeScheme.Basic);

        var ping = await gateway.RegistryAsync("GET", "/v2/", null);
        var denied = await gateway.RegistryAsync("GET", "/v2/p/app/manifests/latest", null);
        var open = await gateway.RegistryAsync("GET", "/v2/public/app/manifests/latest", null);
        var narrow = await gateway.RegistryAsync(
            "PUT", "/v2/p/app/manifests/latest",
            await gateway.BearerAsync("repository:p/app:pull", TestGateway.Basic("alice")));

        Assert.Equal("Basic realm=\"registry.test\"", ping.Challenge);
        Assert.Equal("Basic realm=\"registry.test\"", denied.Challenge);
        Assert.Equal("Basic realm=\"registry.test\"", narrow.Challenge);
        Assert.Equal(HttpStatusCode.OK, open.Status);
    }
}
