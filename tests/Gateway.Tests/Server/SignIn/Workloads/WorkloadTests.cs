using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Core.Tokens;
using Gateway.Server.Host.Configuration;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Issuers;
using Gateway.Server.SignIn.Workloads;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;
using Gateway.Server.Tokens.Credentials;
using Gateway.Tests.Server.SignIn.Issuers;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using static Gateway.Tests.Support.TokenAnswers;

namespace Gateway.Tests.Server.SignIn.Workloads;

/// <summary>
/// Jobs that sign in with ID tokens of an issuer, through a whole gateway, with the claims that GitHub Actions and
/// GitLab CI put into theirs.
/// </summary>
public sealed class WorkloadTests : IAsyncLifetime
{
    private const string Audience = "https://registry.test";
    private const string Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    private const string IdTokenType = "urn:ietf:params:oauth:token-type:id_token";

    private const string Policy = """
        rules:
          - { name: main publishes, to: ["issuer:github"], when: { repository: acme/app, ref: refs/heads/main }, role: writer, on: ["acme/app"] }
          - { name: acme reads, to: ["group:gh-acme"], role: reader, on: ["acme/**"] }
          - { name: protected publishes, to: ["issuer:gitlab"], when: { project_id: "22", ref_protected: "true" }, role: writer, on: ["my-group/**"] }
        """;

    private readonly ShiftedClock _clock = new();
    private TestIssuer _github = null!;
    private TestIssuer _gitlab = null!;
    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _github = await TestIssuer.StartAsync();
        _gitlab = await TestIssuer.StartAsync();
        _upstream = await RecordingUpstream.StartAsync();
        _gateway = await TestGateway.StartAsync(_upstream.Address, Policy, Configure, Customize);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        await _github.DisposeAsync();
        await _gitlab.DisposeAsync();
    }

    [Fact]
    public async Task Password_IsTheIdToken_WhateverTheUserName()
    {
        var token = _github.Sign(GitHub());
        foreach (var user in new[] { "github", "token", "anything at all", "" })
        {
            var reply = await _gateway.AskAsync("?scope=repository:acme/app:pull,push", Basic(user, token));
            Assert.Equal(HttpStatusCode.OK, reply.Status);
            Assert.Equal("repository:acme/app:pull,push", reply.Text("scope"));
            Assert.DoesNotContain(token, reply.Body, StringComparison.Ordinal); // never the issuer's token back
        }

        Assert.Single(await Stored(), static credential => credential.Kind == CredentialKind.Workload); // judged once
        var form = await _gateway.PostAsync(
            ("grant_type", "password"), ("username", "ci"), ("password", token), ("scope", "repository:acme/app:push"),
            ("service", "registry.test"));
        Assert.Equal("repository:acme/app:pull,push", form.Text("scope"));
    }

    [Fact]
    public async Task Bearer_AndBasic_AtTheRegistry_AreTheWorkload()
    {
        var token = _github.Sign(GitHub());
        Assert.Equal(
            HttpStatusCode.OK,
            (await _gateway.RegistryAsync("GET", "/v2/acme/app/manifests/v1", "Bearer " + token)).Status);
        Assert.Equal(
            HttpStatusCode.OK,
            (await _gateway.RegistryAsync("GET", "/v2/acme/app/manifests/v1", Basic("ci", token))).Status);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await _gateway.RegistryAsync("GET", "/v2/other/app/manifests/v1", "Bearer " + token)).Status);
        Assert.DoesNotContain(_upstream.Requests, static request => request.Headers.ContainsKey("Authorization"));

        var line = await AuditRecords.FindAsync(_gateway, static line => line.Text("event") == "credential");
        Assert.Equal("exchange", line.Text("action"));
        Assert.Equal("workload:github/acme/app", line.Text("owner"));
    }

    [Theory]
    [InlineData("ref", "refs/heads/dev", "repository:acme/app:pull")] // the rule wants main; the group still reads
    [InlineData("ref", "refs/heads/main-evil", "repository:acme/app:pull")]
    [InlineData("repository", "acme/other", "repository:acme/app:pull")]
    [InlineData("ref", "refs/heads/main", "repository:acme/app:pull,push")]
    public async Task Claims_AreSeenByPolicies(string claim, string value, string granted)
    {
        var claims = GitHub();
        claims[claim] = value;
        var reply = await _gateway.AskAsync(
            "?scope=repository:acme/app:pull,push,delete", Basic("ci", _github.Sign(claims)));
        Assert.Equal(granted, reply.Text("scope"));
    }

    [Theory]
    [InlineData("false", "")]
    [InlineData("true", "repository:my-group/app:pull,push")]
    public async Task GitLab_ProtectedRefsPublish(string isProtected, string granted)
    {
        var claims = GitLab();
        claims["ref_protected"] = isProtected; // a text, as GitLab writes it
        var reply = await _gateway.AskAsync(
            "?scope=repository:my-group/app:pull,push", Basic("gitlab", _gitlab.Sign(claims)));
        Assert.Equal(granted, reply.Text("scope"));
    }

    [Fact]
    public async Task WrongTokens_AreRefusedWithTheCause_AndTheRightOneIsNot()
    {
        var otherAudience = GitHub();
        otherAudience["aud"] = "https://github.com/acme";
        await Refused(
            _github.Sign(otherAudience),
            "it was issued for another audience: have it issued for \"https://registry.test\"");

        var otherOwner = GitHub();
        otherOwner["repository_owner_id"] = "666";
        await Refused(
            _github.Sign(otherOwner),
            "none of the operator's rules for github accepts this job; its sub is "
                + "\"repo:acme/app:ref:refs/heads/main\"");

        var expired = GitHub();
        expired["exp"] = _clock.GetUtcNow().AddMinutes(-5).ToUnixTimeSeconds();
        await Refused(_github.Sign(expired), "it expired 30");

        var incomplete = GitHub();
        incomplete.Remove("repository");
        await Refused(
            _github.Sign(incomplete), "the rule \"acme\" needs its claim repository, which is missing or not text");

        var elsewhere = GitHub();
        elsewhere["iss"] = "https://token.actions.example.com";
        await Refused(
            _github.Sign(elsewhere), "it is an ID token, and the operator has not configured its issuer (iss)");

        // One issuer's token with the other's name in it: its key is not that one's, though it has the same id.
        var stolen = GitHub();
        stolen["iss"] = _gitlab.Url;
        await Refused(_github.Sign(stolen), "its signature is wrong");

        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", _github.Sign(GitHub())))).Status);
        Assert.Single(await Stored());
    }

    [Fact]
    public async Task Life_IsTheRulesAndNotTheTokens()
    {
        var token = _github.Sign(GitHub(minutes: 5));
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", token))).Status);

        _clock.Advance(TimeSpan.FromMinutes(110)); // the ID token is long over, the job is not
        var late = await _gateway.AskAsync("?scope=repository:acme/app:push", Basic("ci", token));
        Assert.Equal("repository:acme/app:pull,push", late.Text("scope"));
        var access = "Bearer " + late.Text("token");

        _clock.Advance(TimeSpan.FromMinutes(11)); // past the rule's two hours
        await Refused(token, "its time is over: the rule \"acme\" gives a job 2h; have the job fetch a new ID token");
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await _gateway.RegistryAsync("GET", "/v2/acme/app/manifests/v1", access)).Status);

        // A token that was never shown before it ended begins nothing.
        await Refused(_github.Sign(GitHub(minutes: -5)), "it expired 30");
    }

    [Fact]
    public async Task Revoked_IsRefusedAtOnce_AndNotLetInAnew()
    {
        var token = _github.Sign(GitHub());
        var access = await _gateway.BearerAsync("repository:acme/app:pull", Basic("ci", token));
        var id = Assert.Single(await Stored()).Id;
        Assert.True(
            await _gateway.Services.GetRequiredService<CredentialService>().RevokeAsync(
                id, "operator", CancellationToken.None));

        await Refused(token, "it was revoked");
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await _gateway.RegistryAsync("GET", "/v2/acme/app/manifests/v1", access)).Status);
        // another job
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", _github.Sign(GitHub())))).Status);
    }

    [Theory]
    [InlineData("=")]
    [InlineData("==")]
    [InlineData("\t")]
    [InlineData(" ")]
    public async Task Revoked_InAnotherSpelling_IsRefused(string more)
    {
        var token = _github.Sign(GitHub());
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", token))).Status);
        await RevokeAsync();

        foreach (var other in new[]
        {
            token + more,
            token.Replace(".", more + ".", StringComparison.Ordinal),
            WithOtherLastBits(token),
        })
        {
            Assert.NotEqual(token, other);
            Assert.Equal(HttpStatusCode.Unauthorized, (await _gateway.AskAsync("", Basic("ci", other))).Status);
            Assert.Equal(
                HttpStatusCode.Unauthorized,
                (await _gateway.RegistryAsync("GET", "/v2/acme/app/manifests/v1", "Bearer " + other)).Status);
        }

        Assert.Single(await Stored());
    }

    [Fact]
    public async Task Spelling_OfAnother_IsSaidAndNoPassword()
    {
        await Refused(_github.Sign(GitHub()) + "==", "it is not in base64url without padding, as its issuer wrote it");
        Assert.Empty(await Stored());
    }

    [Fact]
    public async Task BothFormsOfAnEcdsaSignature_AreOneToken()
    {
        using var key = await UseEcdsaAsync();
        var token = SignEcdsa(key, GitHub(minutes: 5));
        var other = EcdsaForms.OtherFormOf(token)!;
        Assert.Equal(token, EcdsaForms.OtherFormOf(other));

        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", token))).Status);
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", other))).Status);
        Assert.Single(await Stored());
        _clock.Advance(TimeSpan.FromMinutes(30)); // for as long as the one
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", other))).Status);

        await RevokeAsync();
        await Refused(token, "it was revoked");
        await Refused(other, "it was revoked");
        Assert.Single(await Stored());
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", SignEcdsa(key, GitHub())))).Status);
    }

    [Fact]
    public async Task Forged_UnderWhatAKnownTokenSays_IsRefused()
    {
        using var key = await UseEcdsaAsync();
        var token = SignEcdsa(key, GitHub());
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", token))).Status);

        // Header and payload are no secret: logs of CI systems hold them at times. It takes a good signature as well.
        using var other = System.Security.Cryptography.ECDsa.Create(
            System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        foreach (var signature in new[]
        {
            SignEcdsa(key, GitHub()).Split('.')[2],
            SignEcdsa(other, GitHub()).Split('.')[2],
        })
        {
            var forged = $"{JwtParts.SignedPartOf(token)}.{signature}";
            await Refused(forged, "its signature is wrong");
            await Refused(EcdsaForms.OtherFormOf(forged)!, "its signature is wrong");
        }

        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", token))).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Revoked_RespelledAtRandom_IsNeverAccepted(bool isEcdsa)
    {
        using var key = isEcdsa ? await UseEcdsaAsync() : null;
        var token = key is null ? _github.Sign(GitHub(minutes: 60)) : SignEcdsa(key, GitHub(minutes: 60));
        var workloads = _gateway.Services.GetRequiredService<IWorkloadCredentials>();
        Assert.IsType<AuthenticationResult.Accepted>(
            await workloads.VerifyAsync(token, IPAddress.Loopback, CancellationToken.None));
        await RevokeAsync();

        // At the verifier itself, since the limit on wrong guesses would refuse most of them before.
        var random = new Random(20261130);
        var forms = new[] { token, EcdsaForms.OtherFormOf(token) ?? token };
        for (var i = 0; i < 3_000; i++)
        {
            var other = forms[i % 2];
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                other = Respell(other, random);
            }

            Assert.IsNotType<AuthenticationResult.Accepted>(
                await workloads.VerifyAsync(other, IPAddress.Loopback, CancellationToken.None));
        }

        Assert.Single(await Stored());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Revoked_ShownInTheOtherFormFirst_IsRefused(bool keptByAnEarlierGateway)
    {
        using var key = await UseEcdsaAsync();
        var token = SignEcdsa(key, GitHub(minutes: 60 * 24));
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", token))).Status);
        if (keptByAnEarlierGateway)
        {
            var file = Path.Combine(
                _gateway.Services.GetRequiredService<GatewayOptions>().State.Folder, SqliteDatabase.FileName);
            using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={file};Pooling=False");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE credentials SET identity = NULL, kept_until = NULL";
            Assert.Equal(1, command.ExecuteNonQuery());
        }

        await RevokeAsync();
        await Refused(EcdsaForms.OtherFormOf(token)!, "it was revoked");
        await Refused(token, "it was revoked");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ended_LongAgo_IsNotJudgedAnewWhileTheTokenLives(bool revoke)
    {
        var token = _github.Sign(GitHub(minutes: 60 * 24 * 365));
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", token))).Status);
        if (revoke)
        {
            await RevokeAsync();
        }

        _clock.Advance(TimeSpan.FromDays(100));
        await _gateway.Services.GetRequiredService<ICredentialStore>().PruneAsync(
            _clock.GetUtcNow() - StatePruning.Kept, CancellationToken.None);
        await Refused(token, revoke ? "it was revoked" : "its time is over");
        Assert.Single(await Stored());
    }

    [Fact]
    public async Task Token_OfALongerLifeThanConfigured_IsRefused()
    {
        await using var strict = await TestGateway.StartAsync(_upstream.Address, Policy, options =>
        {
            Configure(options);
            options.Authentication.Workloads["github"].MaximumTokenLifetime = TimeSpan.FromHours(1);
        }, Customize);
        var reply = await strict.AskAsync("", Basic("ci", _github.Sign(GitHub(minutes: 61))));
        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        Assert.Contains("maximumTokenLifetime for github is 1h", reply.Body, StringComparison.Ordinal);
        Assert.Equal(
            HttpStatusCode.OK, (await strict.AskAsync("", Basic("ci", _github.Sign(GitHub(minutes: 60))))).Status);
        Assert.Equal(
            HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", _github.Sign(GitHub(minutes: 61))))).Status);
    }

    [Fact]
    public async Task Token_OfSixteenKibibytes_IsAPasswordEverywhere_AndALongPasswordIsNone()
    {
        var claims = GitHub();
        claims["groups"] = new JsonArray([.. Enumerable.Range(0, 900).Select(static i => (JsonNode)$"group-{i}")]);
        var token = _github.Sign(claims);
        Assert.InRange(token.Length, 14_000, 16 * 1024);
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("gitlab-ci-token", token))).Status);
        Assert.Equal(
            HttpStatusCode.OK,
            (await _gateway.RegistryAsync("GET", "/v2/acme/app/manifests/v1", "Bearer " + token)).Status);
        var form = await _gateway.PostAsync(
            ("grant_type", "password"), ("username", "ci"), ("password", token), ("scope", "repository:acme/app:push"),
            ("service", "registry.test"));
        Assert.Equal(HttpStatusCode.OK, form.Status);

        claims["more"] = new string('a', 4096);
        var tooLong = await _gateway.AskAsync("", Basic("ci", _github.Sign(claims)));
        Assert.Equal(HttpStatusCode.Unauthorized, tooLong.Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized, (await _gateway.AskAsync("", Basic("ci", new string('a', 9000)))).Status);
    }

    [Fact]
    public async Task ManyAtOnce_AreJudgedOnce()
    {
        var token = _github.Sign(GitHub());
        var replies = await Task.WhenAll(
            Enumerable.Range(0, 30).Select(_ => _gateway.AskAsync("", Basic("ci", token))));
        Assert.All(replies, static reply => Assert.Equal(HttpStatusCode.OK, reply.Status));
        Assert.Single(await Stored());
    }

    [Fact]
    public async Task Exchange_GivesANarrowSecretOfItsOwn()
    {
        var reply = await ExchangeAsync(_github.Sign(GitHub()), ("scope", "repository:acme/app:pull"));
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.Equal("urn:ietf:params:oauth:token-type:access_token", reply.Text("issued_token_type"));
        Assert.Equal("Bearer", reply.Text("token_type"));
        Assert.InRange(reply.Json.GetProperty("expires_in").GetInt32(), 7190, 7200);
        var secret = reply.Text("access_token")!;
        Assert.StartsWith("rgw_", secret, StringComparison.Ordinal);

        // As Bearer, and as a password of whatever user.
        Assert.Equal(
            HttpStatusCode.OK,
            (await _gateway.RegistryAsync("GET", "/v2/acme/app/manifests/v1", "Bearer " + secret)).Status);
        Assert.Equal(
            HttpStatusCode.Forbidden,
            (await _gateway.RegistryAsync("PUT", "/v2/acme/app/manifests/v1", "Bearer " + secret)).Status);
        var docker = await _gateway.AskAsync("?scope=repository:acme/app:pull,push", Basic("ci", secret));
        Assert.Equal("repository:acme/app:pull", docker.Text("scope"));

        // exchanging what was exchanged prolongs nothing
        Assert.Equal(HttpStatusCode.BadRequest, (await ExchangeAsync(secret)).Status);
        Assert.Equal(
            "none of the requested scope is allowed to this workload",
            (await ExchangeAsync(_github.Sign(GitHub()), ("scope", "repository:other/app:push"))).Text(
                "error_description"));
    }

    [Fact]
    public async Task Blocked_Workload_IsRefusedWithItsIdTokenAndWhatItGotForIt()
    {
        var token = _github.Sign(GitHub());
        var secret = (await ExchangeAsync(token, ("scope", "repository:acme/app:pull"))).Text("access_token")!;
        var access = await _gateway.BearerAsync("repository:acme/app:pull", Basic("ci", token));
        async Task<HttpStatusCode[]> StatusesAsync() =>
        [
            (await ExchangeAsync(token, ("scope", "repository:acme/app:pull"))).Status,
            (await ExchangeAsync(_github.Sign(GitHub()), ("scope", "repository:acme/app:pull"))).Status,
            (await _gateway.AskAsync("", Basic("ci", token))).Status,
            (await _gateway.RegistryAsync("GET", "/v2/acme/app/manifests/v1", "Bearer " + token)).Status,
            (await _gateway.RegistryAsync("GET", "/v2/acme/app/manifests/v1", "Bearer " + secret)).Status,
            (await _gateway.RegistryAsync("GET", "/v2/acme/app/manifests/v1", access)).Status,
        ];
        Assert.All(await StatusesAsync(), static status => Assert.Equal(HttpStatusCode.OK, status));

        await _gateway.BlockAsync("workload:github/acme/app");

        var refused = await StatusesAsync();
        Assert.All(
            refused,
            static status => Assert.Contains(status, new[] { HttpStatusCode.Unauthorized, HttpStatusCode.BadRequest }));
        var other = GitLab();
        other["ref_protected"] = "true";
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", _gitlab.Sign(other)))).Status);

        await _gateway.UnblockAsync("workload:github/acme/app");
        Assert.All(await StatusesAsync(), static status => Assert.Equal(HttpStatusCode.OK, status));
    }

    [Theory]
    [InlineData("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")]
    [InlineData("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")]
    [InlineData("username", "alice")]
    [InlineData("password", "x")]
    [InlineData("actor_token", "x")]
    [InlineData("refresh_token", "rgf_x")]
    public async Task Exchange_WithWhatItCannotHold_IsRefused(string name, string value)
    {
        var form = new List<(string, string)>
        {
            ("grant_type", Exchange), ("subject_token", _github.Sign(GitHub())), ("subject_token_type", IdTokenType),
        };
        form.RemoveAll(pair => pair.Item1 == name);
        var reply = await _gateway.PostAsync([.. form, (name, value)]);
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), (reply.Status, reply.Text("error")));
        Assert.Empty(await Stored());
    }

    [Fact]
    public async Task Issuer_Away_IsComeAgainForItsJobsOnly()
    {
        var metadata = _gateway.Services.GetServices<IssuerMetadata>();
        await Eventually.TrueAsync(() => metadata.All(static issuer => issuer.IsUp));
        await _github.DisposeAsync();
        var gone = await _gateway.AskAsync("", Basic("ci", _github.Sign(GitHub())));
        Assert.Equal(HttpStatusCode.OK, gone.Status); // by the keys that were read at the start
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("gitlab", _gitlab.Sign(GitLab())))).Status);

        var port = new Uri(_github.Url).Port;
        await using var never = await TestGateway.StartAsync(_upstream.Address, Policy, Configure, Customize);
        var away = await never.AskAsync("", Basic("ci", _github.Sign(GitHub())));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.Status);
        Assert.True(away.Http.Headers.Contains("Retry-After"));
        Assert.Equal(HttpStatusCode.OK, (await never.AskAsync("", Basic("gitlab", _gitlab.Sign(GitLab())))).Status);

        var back = await TestIssuer.StartAsync(port);
        await using (back)
        {
            await Eventually.TrueAsync(async () =>
                (await never.AskAsync("", Basic("ci", back.Sign(Reissue(back))))).Status == HttpStatusCode.OK,
                TimeSpan.FromSeconds(30));
        }
    }

    [Fact]
    public async Task Rule_Changed_EndsWhatTheOldOneLetIn()
    {
        var token = _github.Sign(GitHub());
        var state = _gateway.Services.GetRequiredService<GatewayOptions>().State.Folder;
        Assert.Equal(HttpStatusCode.OK, (await _gateway.AskAsync("", Basic("ci", token))).Status);
        await using var changed = await TestGateway.StartAsync(_upstream.Address, Policy, options =>
        {
            Configure(options);
            options.State.Folder = state;
            options.Authentication.Workloads["github"].Rules[0].Require["event_name"] = "push";
        }, Customize);
        var reply = await changed.AskAsync("", Basic("ci", token));
        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        Assert.Contains("no longer in force", reply.Body, StringComparison.Ordinal);
    }

    private void Configure(GatewayOptions options)
    {
        options.Audit.File.Path = Path.Combine(Path.GetDirectoryName(options.State.Folder)!, "audit.jsonl");
        options.Authentication.Workloads = new Dictionary<string, WorkloadOptions>
        {
            ["github"] = new()
            {
                Issuer = _github.Url,
                Audience = Audience,
                Rules =
                [
                    new WorkloadRuleOptions
                    {
                        Name = "acme",
                        Require = { ["repository_owner_id"] = "65" },
                        As = "{repository}",
                        Groups = ["gh-{repository_owner}"],
                        Lifetime = TimeSpan.FromHours(2),
                    },
                ],
            },
            ["gitlab"] = new()
            {
                Issuer = _gitlab.Url,
                Audience = Audience,
                Rules = [
                    new WorkloadRuleOptions
                    {
                        Name = "my-group",
                        Subject = "project_path:my-group/*",
                        As = "{project_path}",
                    },
                ],
            },
        };
    }

    private void Customize(Microsoft.AspNetCore.Builder.WebApplicationBuilder builder) =>
        builder.Services.AddSingleton<TimeProvider>(_clock);

    // The claims of GitHub's documentation ("Example subject claims"), with a repository made before July 2026.
    private JsonObject GitHub(int minutes = 10)
    {
        var claims = _github.Claims(Audience, "repo:acme/app:ref:refs/heads/main", _clock.GetUtcNow(), """
            {
              "environment": "prod", "ref": "refs/heads/main", "sha": "0123456789abcdef", "repository": "acme/app", "repository_owner": "acme",
              "actor_id": "12", "repository_visibility": "private", "repository_id": "74", "repository_owner_id": "65", "run_id": "1",
              "run_number": "10", "run_attempt": "2", "runner_environment": "github-hosted", "actor": "octocat", "workflow": "release",
              "head_ref": "", "base_ref": "", "event_name": "workflow_dispatch", "ref_type": "branch",
              "job_workflow_ref": "acme/automation/.github/workflows/oidc.yml@refs/heads/main"
            }
            """);
        claims["exp"] = _clock.GetUtcNow().AddMinutes(minutes).ToUnixTimeSeconds();
        return claims;
    }

    private JsonObject Reissue(TestIssuer issuer)
    {
        var claims = GitHub();
        claims["iss"] = issuer.Url;
        return claims;
    }

    // Those of GitLab's ("ID token payload").
    private JsonObject GitLab() =>
        _gitlab.Claims(
            Audience, "project_path:my-group/my-project:ref_type:branch:ref:feature-1", _clock.GetUtcNow(), """
            {
              "namespace_id": "72", "namespace_path": "my-group", "project_id": "22", "project_path": "my-group/my-project", "user_id": "1",
              "user_login": "sample-user", "user_email": "sample-user@example.com",
              "user_identities": [ { "provider": "github", "extern_uid": "2435223452345" } ], "pipeline_id": "574", "pipeline_source": "push",
              "job_id": "302", "ref": "feature-1", "ref_type": "branch", "ref_path": "refs/heads/feature-1", "ref_protected": "true",
              "runner_id": 1, "runner_environment": "self-hosted", "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
              "project_visibility": "public", "ci_config_ref_uri": "gitlab.example.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main"
            }
            """);

    // Bits that fill up the last character, which decoders pass over.
    private static string WithOtherLastBits(string token)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return token[..^1] + alphabet[Math.Max(0, alphabet.IndexOf(token[^1], StringComparison.Ordinal)) | 1];
    }

    // One step that a lenient decoder, header parser or signature check might not mind.
    private static string Respell(string token, Random random)
    {
        var at = random.Next(token.Length + 1);
        var end = token.IndexOf('.', StringComparison.Ordinal) is var first and >= 0 && random.Next(2) == 0
            ? first
            : token.Length;
        return random.Next(8) switch
        {
            0 => token.Insert(at, "=+/-_. \t\r\n\0%A"[random.Next(13)].ToString()),
            1 => token.Insert(end, new string('=', random.Next(1, 4))),
            2 => token.Insert(end, "A"), // a byte's first bits
            3 => token.Replace('-', '+').Replace('_', '/'),
            4 when token.Length > 0 => WithOtherLastBits(token),
            5 => token + "." + token[(token.LastIndexOf('.') + 1)..],
            6 => Uri.EscapeDataString(token),
            _ => " " + token + "\n",
        };
    }

    private async Task RevokeAsync() => Assert.True(await _gateway.Services.GetRequiredService<CredentialService>()
        .RevokeAsync(Assert.Single(await Stored()).Id, "operator", CancellationToken.None));

    private async Task<System.Security.Cryptography.ECDsa> UseEcdsaAsync()
    {
        var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(false).Q;
        var (x, y) =
            (System.Buffers.Text.Base64Url.EncodeToString(point.X),
                System.Buffers.Text.Base64Url.EncodeToString(point.Y));
        _github.OnKeys = context => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(
            // a single one, without a name
            context.Response, $$"""{"keys":[{"kty":"EC","crv":"P-256","x":"{{x}}","y":"{{y}}"}]}""");
        await _gateway.DisposeAsync(); // it may have read the other key
        _gateway = await TestGateway.StartAsync(_upstream.Address, Policy, Configure, Customize);
        return key;
    }

    private static string SignEcdsa(System.Security.Cryptography.ECDsa key, JsonObject claims)
    {
        var text = TestIssuer.Encode("""{"alg":"ES256","kid":"any"}""") + "."
            + TestIssuer.Encode(claims.ToJsonString());
        return text + "." + System.Buffers.Text.Base64Url.EncodeToString(
            key.SignData(Encoding.ASCII.GetBytes(text), System.Security.Cryptography.HashAlgorithmName.SHA256));
    }

    private static string Basic(string user, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));

    private Task<Reply> ExchangeAsync(string token, params (string Name, string Value)[] more) => _gateway.PostAsync(
        [("grant_type", Exchange), ("subject_token", token), ("subject_token_type", IdTokenType), .. more]);

    private async Task Refused(string token, string why)
    {
        var reply = await _gateway.AskAsync("?scope=repository:acme/app:pull", Basic("ci", token));
        Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        Assert.Contains(
            System.Text.Json.JsonEncodedText.Encode(
                why, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(), reply.Body,
                StringComparison.Ordinal);
        Assert.DoesNotContain(token, reply.Body, StringComparison.Ordinal);
    }

    private Task<IReadOnlyList<StoredCredential>> Stored() =>
        _gateway.Services.GetRequiredService<ICredentialStore>().ListAsync(null, CancellationToken.None);
}
