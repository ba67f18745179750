using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Control;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.ClientCertificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Server.Host.Hosting;

/// <summary>
/// Kestrel with strict parsing, the limits that keep slow or huge requests away, and the configured listeners.
/// </summary>
internal static partial class KestrelExtensions
{
    private const int LargestHeaders = 32 * 1024;
    private const int LargestBody = 64 * 1024;

    public static void UseGatewayKestrel(this IWebHostBuilder web, GatewayOptions options)
    {
        // A bare LF ends a line for some servers and not for others, which is how requests are smuggled.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        web.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowSynchronousIO = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = LargestHeaders;
            kestrel.Limits.MaxRequestBodySize = LargestBody; // lifted for manifests and blobs, after the decision
            // A paused client is not an attack; what moves no byte for long is ended by the proxy's activity time-out.
            kestrel.Limits.MinResponseDataRate = null;
            // HTTP/2 defaults (96 KiB a stream) would hold an upload over a long line to a few MiB/s.
            kestrel.Limits.Http2.InitialStreamWindowSize = 1024 * 1024;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 4 * 1024 * 1024;

            Listen(kestrel, options.Listen.Https, ListenerKind.Https, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                var memory = listen.ApplicationServices.GetRequiredService<MemoryReturn>();
                listen.Use(next => connection => memory.ServeAsync(connection, next));
                listen.UseGatewayTls(options.PublicUrl!, options.Authentication.ClientCertificates is null
                    ? static (handshake, _) => handshake
                    : ClientCertificateHandshake.Ask);
            });
            Listen(
                kestrel, options.Listen.Http, ListenerKind.Http,
                static listen => listen.Protocols = HttpProtocols.Http1);
            Listen(
                kestrel, options.Listen.Management, ListenerKind.Management,
                static listen => listen.Protocols = HttpProtocols.Http1);
            ListenForCommands(kestrel, ControlSocket.PathOf(options));
        });
    }

    private static void ListenForCommands(KestrelServerOptions kestrel, string path)
    {
        if (ControlSocket.Prepare(path) is { } problem)
        {
            Log.NoControl(
                kestrel.ApplicationServices.GetRequiredService<ILogger<KestrelServerOptions>>(), path, problem);
            return;
        }

        kestrel.ListenUnixSocket(path, static listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(Mark(ListenerKind.Control));
        });
        kestrel.ApplicationServices.GetRequiredService<IHostApplicationLifetime>()
            .ApplicationStarted.Register(() => ControlSocket.Protect(path));
    }

    private static Func<ConnectionDelegate, ConnectionDelegate> Mark(ListenerKind kind) => next => connection =>
    {
        connection.Features.Set(new ListenerFeature(kind));
        return next(connection);
    };

    private static void Listen(
        KestrelServerOptions kestrel, string? text, ListenerKind kind, Action<ListenOptions> configure)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }

        var address = ListenAddress.Parse(text);
        if (address.Address is { } ip)
        {
            kestrel.Listen(ip, address.Port, Configure);
        }
        else
        {
            kestrel.ListenAnyIP(address.Port, Configure);
        }

        void Configure(ListenOptions listen)
        {
            configure(listen);
            listen.Use(Mark(kind));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1802, LogLevel.Warning,
            "There is no control socket at {Path}: {Problem}. "
            + "\"gateway limits\" cannot reach this gateway; everything else works.")]
        public static partial void NoControl(ILogger logger, string path, string problem);
    }
}
