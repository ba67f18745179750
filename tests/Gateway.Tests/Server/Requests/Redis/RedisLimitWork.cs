using System.Net;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Tests.Server.Store.State;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Requests.Redis;

/// <summary>
/// A whole gateway with a Redis: limits, failed sign-ins, and what the control socket shows and resets of them.
/// </summary>
internal static class RedisLimitWork
{
    public static async Task DoAsync(RedisOptions redis)
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await TestGateway.StartAsync(upstream.Address, change: options =>
        {
            options.Redis = redis;
            options.State.Store = StateStoreKind.Redis;
            (options.Tokens.Keys.Store, options.Tokens.Keys.Password) =
                (SigningKeyStoreKind.Redis, EarlierRedis.KeyPassword);
            options.Limits.Timeout = TimeSpan.FromSeconds(5);
            options.Limits.Rules =
            [
                new()
                {
                    Name = "pulls",
                    Classes = [LimitClass.Pull],
                    Per = [LimitPartition.Subject],
                    Rate = 3,
                    Window = TimeSpan.FromHours(6),
                },
                new()
                {
                    Name = "all",
                    Classes = [LimitClass.Pull],
                    Per = [LimitPartition.Address],
                    Rate = 1000,
                    Window = TimeSpan.FromHours(6),
                },
            ];
        });
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i < 4; i++)
        {
            using var answer = await gateway.SendAsync(HttpMethod.Get, "/v2/public/app/manifests/latest", "alice");
            answers.Add(answer.StatusCode);
        }

        Assert.Equal(
            [HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.TooManyRequests], answers);
        using (var wrong = await gateway.SendAsync(
            HttpMethod.Get, "/v2/", headers: ("Authorization", "Basic " + Convert.ToBase64String("alice:wrong"u8))))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }

        var ledger = gateway.Services.GetRequiredService<LimitLedger>();
        var shown = await ledger.ShowAsync(null, CancellationToken.None);
        Assert.Null(shown.Problem);
        Assert.Contains(shown.Standings, static one => one is { Limit: "pulls", Left: 0, CountedIn: "redis" });
        Assert.Contains(shown.Standings, static one => one.Kind == "failures");
        Assert.True(LimitHolder.TryParse("user:alice", out var alice));
        await ledger.ResetAsync(alice, CancellationToken.None);
        Assert.DoesNotContain(
            (await ledger.ShowAsync(null, CancellationToken.None)).Standings, static one => one.Limit == "pulls");
        using var ready = await gateway.SendAsync(HttpMethod.Get, "/readyz");
        var text = await ready.Content.ReadAsStringAsync();
        Assert.All(
            ["redis", "state", "limits"],
            part => Assert.Contains($"\"{part}\":\"ok\"", text, StringComparison.Ordinal));
    }
}
