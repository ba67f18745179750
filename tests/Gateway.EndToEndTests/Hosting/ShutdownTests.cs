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
        using var management = new HttpClient { BaseAddress = gateway.Management };
        await WaitUntilUnreadyAsync(management);
        // Longer than the two seconds after which the command line's own handler would have ended the process.
        await Task.Delay(TimeSpan.FromSeconds(3));
        using var ready = await management.GetAsync(new Uri("/readyz", UriKind.Relative));
        using var alive = await management.GetAsync(new Uri("/healthz", UriKind.Relative));
        using var other = await client.GetAsync(new Uri("/v2/", UriKind.Relative));
        rest.SetResult();
        using var uploaded = await uploading;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("\"status\":\"ending\"", await ready.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode); // whoever has not noticed yet is served all the same
        Assert.True(other.Headers.ConnectionClose);
        Assert.Equal(HttpStatusCode.Accepted, uploaded.StatusCode);
        Assert.Equal("0-1048575", uploaded.Headers.GetValues("Range").Single());
        Assert.Equal(0, await terminating);
    }

    [Fact]
    public async Task Terminate_DuringAnUploadThatNeverEnds_CutsItOffAfterTheLimitAndEndsWithZero()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = registry.Address,
            MoreYaml = "shutdown: { drain: 2s }",
        });
        using var client = gateway.CreateClient("alice");
        using var start = await client.PostAsync(new Uri("/v2/team-a/app/blobs/uploads/", UriKind.Relative), null);
        var half = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        using var body = new PausingContent(half, never.Task);
        var uploading = client.PatchAsync(start.Headers.Location, body);
        await half.Task;
        await Task.Delay(TimeSpan.FromMilliseconds(500));

        var exitCode = await gateway.TerminateAsync(); // killed, with another exit code, if it took 40 seconds

        Assert.Equal(0, exitCode);
        Assert.Contains("1 requests did not finish within 00:00:02", gateway.Log, StringComparison.Ordinal);
        never.SetResult();
        await Assert.ThrowsAsync<HttpRequestException>(() => uploading);
    }

    [Fact]
    public async Task Terminate_Twice_CutsOffAtOnceAndEndsWithZero()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = registry.Address,
            MoreYaml = "shutdown: { delay: 5m, drain: 1h }",
        });
        using var management = new HttpClient { BaseAddress = gateway.Management };
        (await Cli.RunAsync(
            "kill", ["-TERM", gateway.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
                .Succeeded();
        await WaitUntilUnreadyAsync(management);

        Assert.Equal(0, await gateway.TerminateAsync()); // killed, with another exit code, if it took 40 seconds
    }

    [Fact]
    public async Task Terminate_WithADelay_ServesOnWhileUnreadyAndThenEndsWithZero()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = registry.Address,
            MoreYaml = "shutdown: { delay: 3s }",
        });
        using var management = new HttpClient { BaseAddress = gateway.Management };

        var terminating = gateway.TerminateAsync();
        await WaitUntilUnreadyAsync(management);
        using var client = gateway.CreateClient("alice");
        using var other = await client.GetAsync(new Uri("/v2/", UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        Assert.Equal(0, await terminating);
    }

    private static async Task WaitUntilUnreadyAsync(HttpClient management)
    {
        var status = HttpStatusCode.OK;
        for (var attempt = 0; status == HttpStatusCode.OK && attempt < 500; attempt++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10));
            using var answer = await management.GetAsync(new Uri("/readyz", UriKind.Relative));
            status = answer.StatusCode;
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
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
