using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Requests.Tls;

/// <summary>A real Kestrel on loopback with the gateway's TLS, reloading as in production.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TlsServer(WebApplication app, LogLines log)
    {
        _app = app;
        Log = log;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        Port = new Uri(addresses.Addresses.First()).Port;
    }

    public int Port { get; }

    public LogLines Log { get; }

    public Reloadable<CertificateSet> Certificates => _app.Services.GetRequiredService<Reloadable<CertificateSet>>();

    public static Task<TlsServer> StartAsync(params CertificateOptions[] certificates) =>
        StartAsync(TimeProvider.System, certificates);

    public static async Task<TlsServer> StartAsync(TimeProvider time, params CertificateOptions[] certificates)
    {
        var log = new LogLines();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Services.AddSingleton(time);
        var url = new Uri("https://localhost");
        builder.Services.AddGatewayTls(
            new TlsOptions { Certificates = [.. certificates] }, url).AddHostedService<FileReloadService>();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback, 0, listener => listener.UseGatewayTls(url, static (handshake, _) => handshake)));
        var app = builder.Build();
        app.UseGatewayHsts();
        app.Run(static context => context.Response.WriteAsync(context.Request.Protocol));
        await app.StartAsync();
        return new TlsServer(app, log);
    }

    /// <summary>Shakes hands once and tells what the server showed.</summary>
    public async Task<Handshake> ConnectAsync(
        string? serverName = null,
        SslProtocols protocols = SslProtocols.None,
        params SslApplicationProtocol[] applicationProtocols)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, Port);
        await using var tls = new SslStream(client.GetStream());
        Handshake? result = null;
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = serverName ?? "", // no SNI
            EnabledSslProtocols = protocols,
            ApplicationProtocols = [.. applicationProtocols],
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
            {
                result = new Handshake(
                    ((X509Certificate2)certificate!).Thumbprint,
                    [.. chain!.ChainPolicy.ExtraStore.Select(static extra => extra.Thumbprint)]);
                return true;
            },
        });
        return result! with { Protocol = tls.SslProtocol, ApplicationProtocol = tls.NegotiatedApplicationProtocol };
    }

    public HttpClient CreateClient(Version version, TestAuthority root, TimeSpan? connectionLifetime = null)
    {
        var handler = new SocketsHttpHandler
        {
            PooledConnectionLifetime = connectionLifetime ?? TimeSpan.FromMinutes(10),
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = Trusting(root),
            },
        };
        return new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://localhost:{Port}"),
            DefaultRequestVersion = version,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    /// <summary>Checks of certificates that accept those of one root.</summary>
    public static X509ChainPolicy Trusting(TestAuthority root) => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        CustomTrustStore = { X509CertificateLoader.LoadCertificate(root.Certificate.RawData) },
        RevocationMode = X509RevocationMode.NoCheck,
    };

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    /// <summary>What a client saw.</summary>
    internal sealed record Handshake(string Thumbprint, string[] Sent)
    {
        public SslProtocols Protocol { get; init; }

        public SslApplicationProtocol ApplicationProtocol { get; init; }
    }

    /// <summary>Keeps every line of the log.</summary>
    internal sealed class LogLines : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyList<string> Lines => [.. _lines];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue($"{eventId.Id} {logLevel} {formatter(state, exception)}");

        public void Dispose()
        {
        }
    }
}
