namespace Gateway.Tests.Support;

/// <summary>
/// One gateway and upstream for a class of tests that only send requests: starting them costs more than that.
/// </summary>
public sealed class SharedGateway : IAsyncLifetime
{
    internal RecordingUpstream Upstream { get; private set; } = null!;

    internal TestGateway Gateway { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Upstream = await RecordingUpstream.StartAsync();
        Gateway = await TestGateway.StartAsync(Upstream.Address);
    }

    public async Task DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await Upstream.DisposeAsync();
    }
}
