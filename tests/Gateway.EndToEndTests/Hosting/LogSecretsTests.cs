using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Hosting;

/// <summary>
/// The log at its most talkative, after every way to sign in, right and wrong: it holds no credential.
/// </summary>
public sealed class LogSecretsTests
{
    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task Log_AtTraceAfterEveryWayToSignIn_HoldsNoCredential(string format)
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = registry.Address,
            MoreYaml = $$"""
                tokens: { refreshTokens: true, administrators: [ user:admin ] }
                log: { level: trace, format: {{format}} }
                """,
        });
        using var client = gateway.CreateClient();
        var secrets = new List<string>();
        var service = gateway.Authority;

        // Passwords, right and wrong, at each surface.
        foreach (var (user, password) in new[]
        {
            ("alice", "alice-password-1"),
            ("alice", "wrong-password-canary"),
            ("nobody-canary", "other-password-canary"),
        })
        {
            secrets.Add(password);
            secrets.Add(Base64($"{user}:{password}"));
            await SendAsync(HttpMethod.Get, "/v2/", Basic(user, password));
            await SendAsync(
                HttpMethod.Get, $"/token?service={service}&scope=repository:team-a/app:pull,push",
                Basic(user, password));
            await SendAsync(HttpMethod.Get, $"/token?service={service}&password={password}", Basic(user, password));
            await SendAsync(HttpMethod.Get, "/api/v1/tokens", Basic(user, password));
            await FormAsync(
                ("grant_type", "password"), ("service", service), ("username", user), ("password", password));
        }

        // Tokens of every kind, made here, then shown in every form, whole and damaged.
        using var granted = await JsonAsync(await FormAsync(
            ("grant_type", "password"), ("service", service), ("username", "alice"), ("password", "alice-password-1"),
            ("access_type", "offline"), ("client_id", "test"), ("scope", "repository:team-a/app:pull,push")));
        var access = Secret(granted, "access_token");
        var refresh = Secret(granted, "refresh_token");
        using var made = await JsonAsync(
            await OrderAsync("alice", """{"name": "laptop", "scopes": ["team-a/**:push"]}"""));
        var personal = Secret(made, "secret");
        using var robotMade = await JsonAsync(
            await OrderAsync("admin", """{"name": "ci", "robot": "builder", "scopes": ["team-a/**:pull"]}"""));
        var robot = Secret(robotMade, "secret");
        foreach (var secret in new[] { access, refresh, personal, robot })
        {
            foreach (var shown in new[] { secret, secret[..^1] + (secret[^1] == 'A' ? 'B' : 'A') })
            {
                secrets.Add(shown);
                secrets.Add(Base64("alice:" + shown));
                await SendAsync(HttpMethod.Get, "/v2/", new AuthenticationHeaderValue("Bearer", shown));
                await SendAsync(HttpMethod.Get, "/v2/team-a/app/tags/list", Basic("alice", shown));
                await SendAsync(HttpMethod.Get, $"/token?service={service}", Basic("alice", shown));
                await FormAsync(("grant_type", "refresh_token"), ("service", service), ("refresh_token", shown));
            }
        }

        // What cannot be read, an upload with its ticket, and a denial.
        foreach (var header in new[]
        {
            "Basic canary-unreadable",
            "Canary canary-unreadable",
            "Bearer",
            "Basic " + Base64("canary-unreadable"),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/");
            request.Headers.TryAddWithoutValidation("Authorization", header);
            using var answer = await client.SendAsync(request);
        }

        secrets.AddRange(["canary-unreadable", Base64("canary-unreadable")]);
        using var start = await SendAsync(
            HttpMethod.Post, "/v2/team-a/app/blobs/uploads/", Basic("alice", "alice-password-1"));
        Assert.Equal(HttpStatusCode.Accepted, start.StatusCode);
        secrets.Add(start.Headers.Location!.Query.Split("_ticket=")[1]);
        await SendAsync(HttpMethod.Patch, start.Headers.Location.PathAndQuery, Basic("bob", "bob-password-1"));
        await SendAsync(HttpMethod.Delete, start.Headers.Location.PathAndQuery, Basic("alice", "alice-password-1"));
        Assert.Equal(0, await gateway.TerminateAsync());

        var log = gateway.Log;
        // Not silent: it is told of each refusal.
        Assert.Contains("was refused", log, StringComparison.Ordinal);
        Assert.Contains("Denied", log, StringComparison.Ordinal);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, log, StringComparison.Ordinal));
        Secrets.AssertNotIn(log);
        if (format == "json")
        {
            Assert.All(log.Split('\n', StringSplitOptions.RemoveEmptyEntries), static line =>
            {
                using var entry = JsonDocument.Parse(line);
                Assert.True(entry.RootElement.GetProperty("EventId").GetInt32() > 0, line);
                Assert.NotEmpty(entry.RootElement.GetProperty("LogLevel").GetString()!);
                Assert.EndsWith("Z", entry.RootElement.GetProperty("Timestamp").GetString(), StringComparison.Ordinal);
            });
        }

        async Task<HttpResponseMessage> SendAsync(
            HttpMethod method, string target, AuthenticationHeaderValue authorization)
        {
            using var request = new HttpRequestMessage(method, target);
            request.Headers.Authorization = authorization;
            return await client.SendAsync(request);
        }

        async Task<HttpResponseMessage> FormAsync(params (string Name, string Value)[] form)
        {
            using var content = new FormUrlEncodedContent(
                form.Select(static pair => KeyValuePair.Create(pair.Name, pair.Value)));
            return await client.PostAsync(new Uri("/token", UriKind.Relative), content);
        }

        async Task<HttpResponseMessage> OrderAsync(string user, string order)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tokens")
            {
                Content = new StringContent(order, Encoding.UTF8, "application/json"),
            };
            request.Headers.Authorization = Basic(user, user + "-password-1");
            return await client.SendAsync(request);
        }
    }

    private static async Task<JsonDocument> JsonAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text);
    }

    private static string Secret(JsonDocument document, string name) =>
        document.RootElement.GetProperty(name).GetString()!;

    private static AuthenticationHeaderValue Basic(string user, string password) =>
        new("Basic", Base64($"{user}:{password}"));

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
