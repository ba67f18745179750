using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using Gateway.EndToEndTests.Support;
using Gateway.Tests.Support;

namespace Gateway.EndToEndTests.Hosting;

/// <summary>
/// Files that are half written or cut off, as the running program takes them, and what people are told.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class FilesInForceTests : IAsyncLifetime
{
    private const string Policy = "rules:\n- { name: the deny, deny: all, on: [ \"secret/**\" ] }\n- { name: all, to: "
        + "authenticated, role: owner, on: [ \"**\" ] }\n...\n";

    private YesUpstream? _upstream;
    private GatewayProcess? _gateway;

    private GatewayProcess Gateway => _gateway!;

    public async Task InitializeAsync()
    {
        _upstream = new YesUpstream();
        _gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = _upstream.Address,
            Host = "localhost",
            Policy = Policy,
            MoreYaml = "requireDocumentEnd: true",
            MoreHtpasswd = ", maximumLossPercent: 30",
        });
    }

    public async Task DisposeAsync()
    {
        await (_gateway?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_upstream?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    [Fact]
    public async Task Users_ManyGone_AreHeldBackUntilAcceptedAndNeverAfterTheCommand()
    {
        var all = await File.ReadAllLinesAsync(Gateway.UsersFile);
        Assert.Equal(3, all.Length);
        await File.WriteAllTextAsync(
            Gateway.UsersFile, all.Single(static line => line.StartsWith("alice:", StringComparison.Ordinal)) + "\n");

        var (code, output, error) = await RunAsync("user", "reload");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("2 of 3 users are missing, more than 30 %", error, StringComparison.Ordinal);
        Assert.Contains("stay in force", error, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await PullAsync("bob"));
        Assert.Equal("the last good ones are in force", await StatusAsync("htpasswd"));
        var (_, findings, _) = await RunAsync("doctor");
        Assert.Contains("RUN001", findings, StringComparison.Ordinal);
        Assert.Contains("2 of 3 users are missing", findings, StringComparison.Ordinal);

        Assert.Equal((0, $"{Gateway.UsersFile} is in force.\n", ""), await RunAsync("user", "reload", "--accept"));
        Assert.Equal(HttpStatusCode.Unauthorized, await PullAsync("bob"));
        Assert.Equal(HttpStatusCode.OK, await PullAsync("alice"));
        Assert.Equal("ok", await StatusAsync("htpasswd"));

        await File.WriteAllLinesAsync(Gateway.UsersFile, all);
        Assert.Equal(0, (await RunAsync("user", "reload")).Code);
        Assert.Equal(0, (await RunAsync("user", "remove", "bob")).Code);
        Assert.Equal(0, (await RunAsync("user", "remove", "admin")).Code);
        Assert.Equal(0, (await RunAsync("user", "reload")).Code);
        Assert.Equal(HttpStatusCode.Unauthorized, await PullAsync("bob"));
    }

    [Fact]
    public async Task Reload_FileNamed_IsRefusedSinceTheGatewayHasItsOwn()
    {
        var (code, _, error) = await RunAsync("user", "reload", "--file", "other.htpasswd");

        Assert.Equal(78, code);
        Assert.StartsWith("--file: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reload_NoGateway_SaysWhereToRunIt()
    {
        await Gateway.TerminateAsync();

        var (code, _, error) = await RunAsync("user", "reload");

        Assert.Equal(78, code);
        Assert.Contains("the gateway does not answer", error, StringComparison.Ordinal);
    }

    // However slowly this machine writes: a file without its end is not taken.
    [Fact]
    public async Task Policy_TruncatedAndRewrittenWhileRequestsAsk_NeverLiftsItsDenyNorFailsARequest()
    {
        var file = Path.Combine(Gateway.Folder, "policies", "policy.yaml");
        using var client = Gateway.CreateClient("alice");
        Assert.Equal(HttpStatusCode.Forbidden, await PullAsync(client, "secret/app"));
        using var ending = new CancellationTokenSource();
        var asking = Task.Run(async () =>
        {
            var count = 0;
            for (; !ending.IsCancellationRequested; count++)
            {
                Assert.Equal(HttpStatusCode.Forbidden, await PullAsync(client, "secret/app"));
                Assert.Equal(HttpStatusCode.OK, await PullAsync(client, "team-a/app"));
            }

            return count;
        });

        var taken = 0;
        for (var round = 1; round <= 3; round++)
        {
            var text = $"groups: {{ round-{round}: [ alice ] }}\n" + Policy;
            await using (var stream = new FileStream(
                file, FileMode.Truncate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
            {
                for (var at = 0; at < text.Length; at += 20)
                {
                    stream.Write(System.Text.Encoding.ASCII.GetBytes(text[at..Math.Min(at + 20, text.Length)]));
                    await Task.Delay(TimeSpan.FromMilliseconds(100)); // a slow writer: that is what is tested
                }
            }

            taken++;
            await Eventually.TrueAsync(() => CountTaken() >= taken);
        }

        await ending.CancelAsync();
        Assert.True(await asking > 10);

        int CountTaken() => Gateway.Log.Split("policies were reloaded and are in force").Length - 1;
    }

    private static async Task<HttpStatusCode> PullAsync(HttpClient client, string repository)
    {
        using var answer = await client.GetAsync(new Uri($"/v2/{repository}/manifests/latest", UriKind.Relative));
        return answer.StatusCode;
    }

    private async Task<HttpStatusCode> PullAsync(string user)
    {
        using var client = Gateway.CreateClient(user);
        return await PullAsync(client, "team-a/app");
    }

    private async Task<string?> StatusAsync(string files)
    {
        using var client = new HttpClient();
        using var json = JsonDocument.Parse(await client.GetStringAsync(new Uri(Gateway.Management, "/readyz")));
        return json.RootElement.GetProperty("files").GetProperty(files).GetProperty("status").GetString();
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] command)
    {
        var result = await GatewayProcess.RunCommandAsync([.. command, "--config", Gateway.ConfigurationFile]);
        return (result.ExitCode, result.Output, result.Error);
    }
}
