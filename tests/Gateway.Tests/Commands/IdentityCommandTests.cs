using Gateway.Commands;
using Gateway.Core.Tokens;
using Gateway.Server.Store.Identities;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;
using Gateway.Tests.Support;

namespace Gateway.Tests.Commands;

public sealed class IdentityCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _config;

    public IdentityCommandTests() => _config = _folder.Write("gateway.yaml", """
        publicUrl: https://registry.test
        tls: { certificates: [ { certificate: tls.crt, key: tls.key } ] }
        registries: [ { name: main, upstreams: [ "http://127.0.0.1:5000" ] } ]
        authentication: { oidc: { corp: { issuer: "https://issuer.test", clientId: gateway, clientSecret: secret-in-a-test-file } } }
        policies: policies
        """);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Forget_SomebodyBlocked_SaysThatTheNameStaysBlocked()
    {
        await using (var database = SqliteDatabase.Open(Path.Combine(_folder.Path, "state")))
        {
            var now = TimeProvider.System.GetUtcNow();
            foreach (var name in new[] { "dora", "erik" })
            {
                await new SqliteIdentityStore(database).WriteAsync(
                    new StoredIdentity
                    {
                        Method = "oidc:corp",
                        Name = name,
                        ProviderSubject = name,
                        SignedInAt = now,
                        ValidatedAt = now,
                    }, default);
            }

            await using var store = new SqliteCredentialStore(database);
            await store.WriteBlockAsync(SubjectBlock.Create(null, "user:dora", now, "root"), default);
        }

        Assert.Equal(
            (0, "The name \"erik\" is free; 0 tokens and sessions were revoked.\n", ""), await ForgetAsync("erik"));
        Assert.Equal(
            (0,
                "The name \"dora\" is free; 0 tokens and sessions were revoked.\n"
                + "user:dora stays blocked, also for the next owner of the name. To unblock: gateway user unblock "
                + "user:dora\n",
                ""),
            await ForgetAsync("dora"));
        var (code, output, error) = await ForgetAsync("dora");
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("oidc:corp has not confirmed anyone named \"dora\".", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_People_ShowsWhoHasEachNameAndWhatTheProviderSaid()
    {
        Assert.Equal((0, "", ""), await RunAsync("list")); // nobody signed in yet
        var at = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        await using (var database = SqliteDatabase.Open(Path.Combine(_folder.Path, "state")))
        {
            var store = new SqliteIdentityStore(database);
            var dora = new StoredIdentity
            {
                Method = "oidc:corp",
                Name = "dora",
                ProviderSubject = "sub\u202E-1",
                SignedInAt = at,
                ValidatedAt = at,
            };
            await store.WriteAsync(
                dora with { Groups = ["devs", "ops"], RefreshToken = "encrypted-refresh-token" }, default);
            await store.WriteAsync(
                dora with { Name = "erik", ProviderSubject = "sub-2", Ended = "invalid_grant" }, default);
        }

        var (code, output, error) = await RunAsync("list");

        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            [
                ["METHOD", "NAME", "SUB", "SIGNED IN", "CONFIRMED", "GROUPS", "STATE"],
                ["oidc:corp", "dora", "sub\\u202E-1", "2026-03-01 12:00Z", "2026-03-01 12:00Z", "devs,ops", "active"],
                ["oidc:corp", "erik", "sub-2", "2026-03-01 12:00Z", "2026-03-01 12:00Z", "-", "ended: invalid_grant"],
            ],
            output.TrimEnd()
                .Split('\n')
                .Select(
                    static line => line.Split(
                        "  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
        Assert.DoesNotContain("refresh", output, StringComparison.Ordinal); // not even encrypted
    }

    [Fact]
    public async Task Forget_PersonWithTokens_EndsThemAndFreesTheName()
    {
        var id = CredentialId.Create();
        var now = TimeProvider.System.GetUtcNow();
        await using (var database = SqliteDatabase.Open(Path.Combine(_folder.Path, "state")))
        {
            var dora = new StoredIdentity
            {
                Method = "oidc:corp",
                Name = "dora",
                ProviderSubject = "1",
                SignedInAt = now,
                ValidatedAt = now,
            };
            await new SqliteIdentityStore(database).WriteAsync(dora, default);
            await using var store = new SqliteCredentialStore(database);
            await store.AddAsync(
                new StoredCredential
                {
                    Id = id,
                    Kind = CredentialKind.Personal,
                    Hash = SecretHash.Of("rgp_test"),
                    Name = "laptop",
                    Owner = dora.ToSubject(),
                    CreatedBy = "user:dora",
                    CreatedAt = now,
                    ExpiresAt = now.AddDays(1),
                },
                default);
        }

        Assert.Equal(
            (0, "The name \"dora\" is free; 1 tokens and sessions were revoked.\n", ""), await ForgetAsync("dora"));

        await using var again = SqliteDatabase.Open(Path.Combine(_folder.Path, "state"));
        await using var credentials = new SqliteCredentialStore(again);
        var kept = Assert.Single(await credentials.ListAsync(null, default));
        Assert.Equal((id, TokenState.Revoked), (kept.Id, kept.StateAt(now)));
    }

    private Task<(int Code, string Output, string Error)> ForgetAsync(string name) =>
        RunAsync("forget", "oidc:corp", name);

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var result = GatewayCommand.Create().Parse(["identity", .. arguments, "--config", _config]);
        result.InvocationConfiguration.Output = output;
        result.InvocationConfiguration.Error = error;
        return (await result.InvokeAsync(), output.ToString(), error.ToString());
    }
}
