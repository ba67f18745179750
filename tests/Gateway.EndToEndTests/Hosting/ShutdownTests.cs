using System.Net;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Hosting;

/// <summary>What becomes of running transfers when the program is told to end.</summary>
public sealed class ShutdownTests
{
    [Fact]
    public async Task Terminate_DuringAnUpload_LetsItFinishAndEndsWithZero()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings { Upstream = registry.Address });
        using var client = gateway.CreateClient("alice");
        using var start = await client.PostAsync(new Uri("/v2/team-a/app/blobs/uploads/", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Accepted, start.StatusCode);
        var half = new TaskCompletionSource();
        var rest = new TaskCompletionSource();
        using var body = new PausingContent(half, rest.Task);

        var uploading = client.PatchAsync(start.Headers.Location, body);
        await half.Task;
        // The transfer is on its way through the gateway; without a drain it ends here.
        await Task.Delay(TimeSpan.FromMilliseconds(500));
        var terminating = gateway.TerminateAsync();
        // Longer than the two seconds after which the command line's own handler would have ended the process.
        await Task.Delay(TimeSpan.FromSeconds(3));
        rest.SetResult();
        using var uploaded = await uploading;

        Assert.Equal(HttpStatusCode.Accepted, uploaded.StatusCode);
        Assert.Equal("0-1048575", uploaded.Headers.GetValues("Range").Single());
        Assert.Equal(0, await terminating);
    }

    private sealed class PausingContent(TaskCompletionSource half, Task rest) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[512 * 1024]);
            await stream.FlushAsync();
            half.TrySetResult();
            await rest;
            await stream.WriteAsync(new byte[512 * 1024]);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
