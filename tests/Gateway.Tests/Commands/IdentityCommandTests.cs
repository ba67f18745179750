using Gateway.Commands;
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
                    new StoredIdentity { Method = "oidc:corp", Name = name, ProviderSubject = name, SignedInAt = now, ValidatedAt = now }, default);
            }

            await using var store = new SqliteCredentialStore(database);
            await store.WriteBlockAsync(SubjectBlock.Create(null, "user:dora", now, "root"), default);
        }

        Assert.Equal((0, "The name \"erik\" is free; 0 tokens and sessions were revoked.\n", ""), await ForgetAsync("erik"));
        Assert.Equal(
            (0,
                "The name \"dora\" is free; 0 tokens and sessions were revoked.\n"
                + "user:dora stays blocked, also for the next owner of the name. To unblock: gateway user unblock user:dora\n",
                ""),
            await ForgetAsync("dora"));
        var (code, output, error) = await ForgetAsync("dora");
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("oidc:corp has not confirmed anyone named \"dora\".", error, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output, string Error)> ForgetAsync(string name)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var result = GatewayCommand.Create().Parse(["identity", "forget", "oidc:corp", name, "--config", _config]);
        result.InvocationConfiguration.Output = output;
        result.InvocationConfiguration.Error = error;
        return (await result.InvokeAsync(), output.ToString(), error.ToString());
    }
}
