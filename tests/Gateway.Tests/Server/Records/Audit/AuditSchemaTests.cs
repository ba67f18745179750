using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Tests.Support;
using Json.Schema;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Server.Records.Audit;

/// <summary>
/// docs/audit.schema.json describes exactly what is written, and what is written is safe whatever is in it.
/// </summary>
public sealed class AuditSchemaTests
{
    private const string Hostile =
        "\n{\"event\":\"registry\"}\r\0\u001b[2J\u0085\u2028\u2029\u202e\u2066\ufeff\ud800x\udc00\",\"decision\":"
            + "\"allow\",\"x\":\"<script>é€𝄞";

    private static readonly Lazy<JsonSchema> Schema = new(static () =>
        JsonSchema.FromText(File.ReadAllText(RepositoryRoot.PathOf("docs", "audit.schema.json"))));

    [Fact]
    public async Task Lines_OfALifeWithEverythingInIt_FitTheSchema()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "audit.jsonl");
        await using (var gateway = await TestGateway.StartAsync(upstream.Address, change: options =>
        {
            options.Audit.WriteAhead = true;
            options.Audit.File.Path = file;
            options.Audit.File.HashKey = new string('k', 32);
        }))
        {
            foreach (var (method, target, user) in new[]
            {
                ("GET", "/v2/", null), ("GET", "/v2/", "alice"), ("GET", "/v2/_catalog", "alice"),
                ("GET", "/v2/team-a/app/manifests/v1", "alice"), ("GET", "/v2/team-a/app/manifests/v1", null),
                ("DELETE", "/v2/team-a/app/manifests/v1", "bob"), ("POST", "/v2/team-a/app/blobs/uploads/", "alice"),
                ("POST", "/v2/team-a/app/blobs/uploads/?mount=sha256:" + new string('a', 64) + "&from=public/x",
                    "alice"),
                ("GET", "/v2/no%2fsuch/x", "alice"), ("PUT", "/nowhere?password=geheim", null),
                ("GET", "/.well-known/jwks.json", null),
                ("GET", "/token?service=registry.test&scope=repository:team-a/app:pull,push&scope=registry:catalog:*",
                    "alice"),
                ("GET", "/token", null), ("POST", "/token", "alice"), ("GET", "/api/v1/tokens", "alice"),
                ("GET", "/api/v1/openapi.json", null),
            })
            {
                using var answer = await gateway.SendAsync(new HttpMethod(method), target, user);
                await AuditRecords.OfAsync(gateway, answer);
            }

            using var made = await gateway.SendAsync(HttpMethod.Post, "/api/v1/tokens", "alice", new StringContent(
                """{"name":"x","scopes":["**:pull"]}""", null, "application/json"));
            using var unlimited = await gateway.SendAsync(HttpMethod.Post, "/api/v1/tokens", "alice", new StringContent(
                """{"name":"y"}""", null, "application/json"));
            await File.AppendAllTextAsync(gateway.UsersFile, "dave:" + TestUsers.Hash("dave-password") + "\n");
            await AuditRecords.FindAsync(gateway, static line => line.Text("event") == "reload");
            await File.WriteAllTextAsync(gateway.PolicyFile, "rules: 7");
            await AuditRecords.FindAsync(
                gateway, static line => line.Text("outcome") == "refused" && line.Text("event") == "reload");
        }

        var lines = await File.ReadAllLinesAsync(file);
        Assert.All(lines, AssertFits);
        Assert.Equal(
            ["api", "credential", "http", "registry", "reload", "start", "stop", "token"],
            lines.Select(
                static line => AuditSearch.Parse(Encoding.UTF8.GetBytes(line))!.Value.Text("event")!)
                    .Distinct()
                    .Order(StringComparer.Ordinal));
        Assert.DoesNotContain(lines, static line => line.Contains("geheim", StringComparison.Ordinal)
            || line.Contains("-password", StringComparison.Ordinal) || line.Contains("$2", StringComparison.Ordinal)
            || line.Contains(new string('k', 32), StringComparison.Ordinal));
    }

    [Fact]
    public void Lines_WithHostileTextEverywhere_AreOneLineOfPlainCharactersAndFitTheSchema()
    {
        AuditEntry[] entries =
        [
            Request(Hostile + new string('é', 5000)),
            new CommandEntry(DateTimeOffset.UnixEpoch) { Command = "token create", Account = Hostile, UserId = 1000 },
            new CredentialEntry(DateTimeOffset.UnixEpoch)
            {
                Action = "revoke",
                By = Hostile,
                Owner = Hostile,
                Id = Hostile,
            },
            new CredentialEntry(DateTimeOffset.UnixEpoch)
            {
                Action = "block", By = Hostile, Owner = Hostile, Until = DateTimeOffset.UnixEpoch, Reason = Hostile,
            },
            new ReloadEntry(DateTimeOffset.UnixEpoch)
            {
                Source = "policies",
                Changes = [
                    new Difference(
                        "rules", [.. Enumerable.Repeat(Hostile + new string('\u202e', 500), 80)], [], [Hostile]),
                ],
            },
            new ReloadEntry(DateTimeOffset.UnixEpoch)
            {
                Source = "htpasswd",
                Problems = [
                    .. Enumerable.Range(0, 30).Select(static _ => new Problem(Hostile, Hostile, Hostile, Hostile)),
                ],
            },
            new OutageEntry(DateTimeOffset.UnixEpoch) { Sink = "file", Since = DateTimeOffset.UnixEpoch, Lost = 3 },
            new LifecycleEntry(DateTimeOffset.UnixEpoch, true, new AuditOptions(), Hostile),
        ];
        using var lines = new AuditLines(new HashChain(null));
        lines.Begin(ChainPosition.Start);
        for (var i = 0; i < entries.Length; i++)
        {
            lines.Add(entries[i], isFirstOfFile: i == 0, torn: i);
        }

        var text = Encoding.UTF8.GetString(lines.Bytes.Span);
        var written = text.TrimEnd('\n').Split('\n');

        Assert.Equal(entries.Length, written.Length);
        Assert.All(text.Where(static c => c != '\n'), static c => Assert.InRange(c, ' ', '~'));
        Assert.All(written, static line => Assert.InRange(line.Length, 1, AuditReader.LongestLine));
        Assert.All(written, static line =>
        {
            var names = JsonDocument.Parse(line).RootElement
                .EnumerateObject()
                .Select(static member => member.Name)
                .ToList();
            Assert.Equal(names.Distinct(), names);
            AssertFits(line);
        });
    }

    [Fact]
    public void Schema_ForALineWithAMemberOfItsOwn_DoesNotFit()
    {
        const string good =
#pragma warning disable RCS0056 // one line of text
            """{"v":1,"time":"2026-11-26T10:00:00.000Z","event":"stop","version":"1","pid":1,"onFailure":"block","writeAhead":false}""";
#pragma warning restore RCS0056

        AssertFits(good);
        Assert.False(Fits(good[..^1] + ",\"secret\":\"x\"}"));
        Assert.False(Fits(good.Replace("\"v\":1", "\"v\":2", StringComparison.Ordinal)));
    }

    internal static void AssertFits(string line) => Assert.True(Fits(line), line);

    private static bool Fits(string line) => Schema.Value.Evaluate(JsonDocument.Parse(line).RootElement).IsValid;

    private static RequestEntry Request(string text) => new(DateTimeOffset.UnixEpoch)
    {
        Surface = "http",
        RequestId = "0123456789abcdef",
        Decision = AuditDecision.Refuse,
        Address = IPAddress.IPv6Loopback,
        Method = text,
        Target = text,
        UserAgent = text,
        Limit = text,
        Rule = new RuleIdentity(text, text, 7),
        SignIn = new SignInAttempt(
            SignInForm.Password, text, SignInOutcome.Refused, text),
        Error = RegistryError.BadRequest(text),
        Status = StatusCodes.Status400BadRequest,
        Duration = TimeSpan.FromMilliseconds(1.25),
    };
}
