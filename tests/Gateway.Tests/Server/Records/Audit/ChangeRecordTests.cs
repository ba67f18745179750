using System.Net;
using System.Text.Json;
using Gateway.Server.Store.Keys;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Records.Audit;

/// <summary>Changes of tokens, users, policies, certificates and keys, and the trail's own frame.</summary>
public sealed class ChangeRecordTests : IAsyncLifetime
{
    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _gateway = await TestGateway.StartAsync(_upstream.Address);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Token_MadeRotatedUsedAndRevoked_LeavesALineEachAndNoSecret()
    {
        using var made = await PostAsync(
            "/api/v1/tokens", """{"name":"laptop","scopes":["team-a/**:pull"],"expiresIn":"2d"}""");
        var body = JsonDocument.Parse(await made.Content.ReadAsStringAsync()).RootElement;
        var (id, secret) =
            (body.GetProperty("token").GetProperty("id").GetString()!, body.GetProperty("secret").GetString()!);
        using var used = await _gateway.SendAsync(
            HttpMethod.Get, "/v2/team-a/app/manifests/v1", null, null,
            ("Authorization",
                "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("alice:" + secret))));
        using var rotated = await PostAsync($"/api/v1/tokens/{id}/rotate", """{"overlap":"1h"}""");
        var next = JsonDocument.Parse(await rotated.Content.ReadAsStringAsync()).RootElement;
        using var revoked = await _gateway.SendAsync(HttpMethod.Delete, $"/api/v1/tokens/{id}", "alice");
        var create = await CredentialAsync("create");
        var rotate = await CredentialAsync("rotate");
        var revoke = await CredentialAsync("revoke");

        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        Assert.Equal(("user:alice", "user:alice", id, "personal", "laptop"), (
            create.Text("by"), create.Text("owner"), create.Text("credential"), create.Text("kind"),
            create.Text("name")));
        Assert.Equal("""["team-a/**:pull"]""", create.Text("scopes"));
        Assert.Equal(made.Headers.GetValues("X-Request-Id").Single(), create.Text("requestId"));
        Assert.Equal(
            (next.GetProperty("token").GetProperty("id").GetString(), id),
            (rotate.Text("credential"), rotate.Text("replaced")));
        Assert.Equal((id, "user:alice"), (revoke.Text("credential"), revoke.Text("owner")));
        var pull = await AuditRecords.OfAsync(_gateway, used);
        Assert.Equal(("token", id, "user:alice", "allow"), (
            pull.Text("signIn.form"), pull.Text("signIn.credential"), pull.Text("subject"), pull.Text("decision")));
        var order = await AuditRecords.OfAsync(_gateway, made);
        Assert.Equal(
            ("api", "createToken", "201"), (order.Text("event"), order.Text("operation"), order.Text("status")));
        AssertNoSecret(secret, next.GetProperty("secret").GetString()!, "alice-password");
    }

    [Fact]
    public async Task Users_Changed_AreNamedWithoutTheirHashes()
    {
        var lines = (await File.ReadAllLinesAsync(_gateway.UsersFile)).ToList();
        var hash = TestUsers.Hash("carol-password");
        lines.RemoveAll(static line => line.StartsWith("bob:", StringComparison.Ordinal));
        lines[lines.FindIndex(static line => line.StartsWith("alice:", StringComparison.Ordinal))] = "alice:" + hash;
        lines.Add("carol:" + hash);
        await File.WriteAllTextAsync(_gateway.UsersFile, string.Join('\n', lines) + "\n");

        var reload = await AuditRecords.FindAsync(
            _gateway, static line => line.Text("event") == "reload" && line.Text("source") == "htpasswd");

        Assert.Equal("applied", reload.Text("outcome"));
        Assert.Equal(
#pragma warning disable RCS0056 // one line of text
            """[{"of":"users","added":{"count":1,"names":["carol"]},"removed":{"count":1,"names":["bob"]},"changed":{"count":1,"names":["alice"]}}]""",
#pragma warning restore RCS0056
            reload.Text("changes"));
        AssertNoSecret(hash, hash[7..]);
    }

    [Fact]
    public async Task Policies_Changed_NameRulesAndGroups()
    {
        await File.WriteAllTextAsync(_gateway.PolicyFile, """
            groups: { team-a: [alice, bob], team-c: [bob] }
            rules:
              - { name: admin owns everything, to: ["user:admin"], role: owner, on: ["**"] }
              - { name: team-a writes, to: ["group:team-a"], role: owner, on: ["team-a/**"] }
              - { name: new, to: ["user:bob"], role: reader, on: ["team-c/**"] }
              - { name: everybody pulls public, to: [anonymous, authenticated], role: reader, on: ["public/**"] }
            """);

        var reload = await AuditRecords.FindAsync(
            _gateway, static line => line.Text("event") == "reload" && line.Text("source") == "policies");

        Assert.Equal(
#pragma warning disable RCS0056 // one line of text
            """[{"of":"rules","added":{"count":1,"names":["new (policy.yaml)"]},"removed":{"count":1,"names":["bob reads (policy.yaml)"]},"changed":{"count":1,"names":["team-a writes (policy.yaml)"]}},{"of":"groups","added":{"count":1,"names":["team-c"]},"changed":{"count":1,"names":["team-a"]}}]""",
#pragma warning restore RCS0056
            reload.Text("changes"));
    }

    [Fact]
    public async Task Policies_Refused_SayWhy()
    {
        await File.WriteAllTextAsync(_gateway.PolicyFile, "rules: [ { nam: x } ]");

        var reload = await AuditRecords.FindAsync(
            _gateway, static line => line.Text("event") == "reload" && line.Text("outcome") == "refused");

        Assert.Equal("policies", reload.Text("source"));
        Assert.Contains("policy.yaml", reload.Text("problems"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_Rotated_AreNamedByTheirIds()
    {
        var store = _gateway.Services.GetRequiredService<ISigningKeyStore>();
        var schedule = _gateway.Services.GetRequiredService<SigningKeySchedule>();
        var change = await store.ChangeAsync(
            keys => schedule.Rotate(keys, TimeSpan.FromHours(1)), CancellationToken.None);

        var reload = await AuditRecords.FindAsync(
            _gateway, static line => line.Text("event") == "reload" && line.Text("source") == "keys");

        Assert.Contains(change.Added!.Id, reload.Text("changes"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trail_OfAGateway_BeginsAndEndsWithALine()
    {
        var file = AuditRecords.FileOf(_gateway);
        await AuditRecords.FindAsync(_gateway, static line => line.Text("event") == "start");
        await _gateway.Services.GetRequiredService<Microsoft.Extensions.Hosting.IHost>().StopAsync();

        Assert.Equal(
            ("start", "stop"), (AuditRecords.Read(file)[0].Text("event"), AuditRecords.Read(file)[^1].Text("event")));
    }

    private Task<HttpResponseMessage> PostAsync(string target, string json) => _gateway.SendAsync(
        HttpMethod.Post, target, "alice", new StringContent(json, null, "application/json"));

    private Task<JsonElement> CredentialAsync(string action) => AuditRecords.FindAsync(
        _gateway, line => line.Text("event") == "credential" && line.Text("action") == action);

    private void AssertNoSecret(params string[] secrets)
    {
        var text = File.ReadAllText(AuditRecords.FileOf(_gateway));
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
    }
}
