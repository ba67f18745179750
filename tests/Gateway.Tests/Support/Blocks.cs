using Gateway.Server.Store.State;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Support;

/// <summary>What <c>gateway user block</c> does, in the store of a gateway.</summary>
internal static class Blocks
{
    /// <summary>Blocks a subject, such as <c>user:alice</c>.</summary>
    public static async Task BlockAsync(this TestGateway gateway, string subject, DateTimeOffset? until = null)
    {
        var (store, now) = (Store(gateway), Now(gateway));
        var known = (await store.ReadBlocksAsync("", default)).Blocks!.SingleOrDefault(one => one.Subject == subject);
        Assert.True(await store.WriteBlockAsync(
            SubjectBlock.Create(known, subject, now, "root") with { Until = until, Reason = "for operators alone" },
            default));
    }

    /// <summary>Lifts it.</summary>
    public static async Task UnblockAsync(this TestGateway gateway, string subject)
    {
        var store = Store(gateway);
        var known = (await store.ReadBlocksAsync("", default)).Blocks!.Single(one => one.Subject == subject);
        Assert.True(await store.WriteBlockAsync(known.Lift(Now(gateway), "root"), default));
    }

    private static ICredentialStore Store(TestGateway gateway) =>
        gateway.Services.GetRequiredService<ICredentialStore>();

    private static DateTimeOffset Now(TestGateway gateway) =>
        gateway.Services.GetRequiredService<TimeProvider>().GetUtcNow();
}
