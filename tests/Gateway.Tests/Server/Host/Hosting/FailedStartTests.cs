using System.Net;
using System.Net.Sockets;
using Gateway.Commands;
using Gateway.Server.Host.Control;
using Gateway.Server.Host.Hosting;
using Gateway.Tests.Server.Host.Configuration;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Host.Hosting;

/// <summary>A start that fails after all was looked at: one line, and nothing of what had begun complains.</summary>
public sealed class FailedStartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Serve_PortTakenMeanwhile_IsOneLine()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // its own as soon as it listens
        var port = ((IPEndPoint)other.LocalEndPoint!).Port;

        var (code, error, log) = await RunAsync(port, _ => other.Listen());

        Assert.Equal(1, code);
        Assert.Equal(
            $"{_folder.Path}/gateway.yaml: listen: the gateway cannot listen (found \"Failed to bind to address "
            + $"https://127.0.0.1:{port}: address already in use.\"). "
            + "Stop the program that uses the port, or change listen.https, listen.http or listen.management.\n",
            error);
        Assert.Empty(log);
    }

    [Fact]
    public async Task Serve_ControlSocketTakenMeanwhile_IsOneLine()
    {
        var path = Path.Combine(_folder.Path, "state", ControlSocket.FileName);
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        var (code, error, log) = await RunAsync(0, _ => other.Bind(new UnixDomainSocketEndPoint(path)));

        Assert.Equal(1, code);
        Assert.Equal(
            $"{_folder.Path}/gateway.yaml: state.folder: the gateway cannot listen on its control socket (found "
            + $"\"Failed to bind to address http://unix:{path}: address already in use.\"). "
            + "Stop the other gateway that uses this folder, or set state.folder to another folder.\n",
            error);
        Assert.Empty(log);
    }

    [Fact]
    public async Task Serve_ToldToEndBeforeItIsReady_EndsInSilence()
    {
        var (code, error, log) = await RunAsync(0, static app => app.Lifetime.StopApplication());

        Assert.Equal((0, ""), (code, error));
        Assert.Empty(log);
    }

    // What "serve" prints and what it writes from warnings up, where something happens just before it listens.
    private async Task<(int Code, string Error, string[] Log)> RunAsync(int port, Action<WebApplication> before)
    {
        using var log = new LogSink();
        TestCertificates.Write(_folder.Path, "registry.example.com");
        _folder.Write("users.htpasswd", "alice:" + TestUsers.Hash("alice-password") + "\n");
        _folder.Write("policies/none.yaml", "rules: []\n");
        var options = ConfigurationSamples.Load(
            _folder,
            ConfigurationSamples.Minimal.Replace("certs/", "", StringComparison.Ordinal)
                .Replace("users.htpasswd }", "users.htpasswd, minimumCost: 4 }", StringComparison.Ordinal)
            + $"listen: {{ https: \"127.0.0.1:{port}\", management: \"\" }}\nlog: {{ level: information }}\n");
        using var error = new StringWriter { NewLine = "\n" };
        int code;
        WebApplication? built = null;
        await using (var app = GatewayHost.Build(options, builder => builder.Services
            .AddHostedService(_ => new Before(() => before(built!)))
            .AddSingleton<ILoggerProvider>(_ => new EventFilterProvider(log, TimeProvider.System))))
        {
            built = app;
            code = await ServeCommand.RunAsync(
                app, options, new FileInfo(Path.Combine(_folder.Path, "gateway.yaml")), error, CancellationToken.None)
                .WaitAsync(TimeSpan.FromMinutes(2));
        }

        return (
            code, error.ToString(),
            [.. log.Lines.Where(static line => !line.StartsWith("Info", StringComparison.Ordinal))]);
    }

    // Services start in their order, and the listeners last.
    private sealed class Before(Action action) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            action();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
