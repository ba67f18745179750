using System.Net;
using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Store.Keys;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Store.Keys;

public sealed class SigningKeyEndpointTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    [Fact]
    public async Task JwkSet_Get_HoldsTheKeysInForce()
    {
        using var answer = await shared.Gateway.SendAsync(HttpMethod.Get, "/.well-known/jwks.json");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/jwk-set+json", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("public, max-age=60", string.Join(',', answer.Headers.GetValues("Cache-Control")));
        var keys = shared.Gateway.Services.GetRequiredService<ISigningKeys>().Current;
        Assert.Equal(Encoding.UTF8.GetString(keys.JwkSet.Span), await answer.Content.ReadAsStringAsync());
        Assert.Contains(keys.Keys[0].Id, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task JwkSet_Head_HasTheHeadersAlone()
    {
        using var answer = await shared.Gateway.SendAsync(HttpMethod.Head, "/.well-known/jwks.json");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/jwk-set+json", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("", await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    public async Task JwkSet_AnotherMethod_Is405(string method)
    {
        using var answer = await shared.Gateway.SendAsync(new HttpMethod(method), "/.well-known/jwks.json");

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal(["GET", "HEAD"], answer.Content.Headers.Allow);
        Assert.StartsWith(
            """{"errors":[{"code":"UNSUPPORTED","message":"the keys are read-only; use GET or HEAD",""",
            await answer.Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_TwoGatewaysOnOneFolder_HaveTheSameKeyAndFollowOneAnother()
    {
        using var folder = new TemporaryFolder();
        var keys = Path.Combine(folder.Path, "keys");
        var gateways = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => TestGateway.StartAsync(
            shared.Upstream.Address, change: options => options.Tokens.Keys.Folder = keys))));
        await using var one = gateways[0];
        await using var two = gateways[1];
        var (first, second) =
            (one.Services.GetRequiredService<ISigningKeys>(), two.Services.GetRequiredService<ISigningKeys>());
        Assert.Equal(first.Current.Keys.Single().Id, second.Current.Keys.Single().Id);
        await Eventually.TrueAsync(
            () => File.Exists(Path.Combine(keys, "bundle.crt")) && File.Exists(Path.Combine(keys, "jwks.json")));

        var schedule = one.Services.GetRequiredService<SigningKeySchedule>();
        var added = one.Services.GetRequiredService<KeyFolder>().Change(
            all => schedule.Rotate(all, SigningKeySchedule.PublicationDelay)).Added!;

        await Eventually.TrueAsync(
            () => first.Current.Find(added.Id) is not null && second.Current.Find(added.Id) is not null);
    }

    [Fact]
    public async Task Reload_BrokenKey_KeepsTheOnesInForceAndIsToldInHealth()
    {
        using var folder = new TemporaryFolder();
        await using var gateway = await TestGateway.StartAsync(
            shared.Upstream.Address, change: options => options.Tokens.Keys.Folder = folder.Path);
        var before = gateway.Services.GetRequiredService<ISigningKeys>().Current;

        folder.Write("broken.pem", "x");
        var reloadable = gateway.Services.GetServices<IReloadable>().Single(static one => one.Name == "keys");
        await Eventually.TrueAsync(() => reloadable.Status.Problems.Count > 0);

        Assert.Same(before, gateway.Services.GetRequiredService<ISigningKeys>().Current);
        using var answer = await gateway.SendAsync(HttpMethod.Get, "/readyz");
        Assert.Contains(
            "\"keys\":{\"status\":\"the last good ones are in force\"", await answer.Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_BrokenKey_IsRefused()
    {
        using var folder = new TemporaryFolder();
        folder.Write("broken.pem", "x");

        var exception = await Assert.ThrowsAsync<ProblemException>(() => TestGateway.StartAsync(
            shared.Upstream.Address, change: options => options.Tokens.Keys.Folder = folder.Path));

        Assert.Contains("broken.pem: ", exception.Message, StringComparison.Ordinal);
        Assert.Equal([Path.Combine(folder.Path, "broken.pem")], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task Start_KeysInRedis_AreMadeThereAndServed()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var gateway = await TestGateway.StartAsync(shared.Upstream.Address, change: options =>
        {
            options.Redis = redis.Options;
            options.Tokens.Keys.Store = SigningKeyStoreKind.Redis;
            options.Tokens.Keys.Password = "correct horse battery staple";
        });

        using var answer = await gateway.SendAsync(HttpMethod.Get, "/.well-known/jwks.json");

        var key = Assert.Single(gateway.Services.GetRequiredService<ISigningKeys>().Current.Keys);
        Assert.Contains(key.Id, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("1", await redis.CommandAsync("HEXISTS", "gateway:keys", key.Id));
    }
}
