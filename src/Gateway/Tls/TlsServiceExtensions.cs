using Gateway.ClientCertificates;
using Gateway.Configuration;
using Gateway.Reloading;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Gateway.Tls;

/// <summary>All that the host knows of TLS.</summary>
internal static class TlsServiceExtensions
{
    // A client that opens a connection and then stalls must not hold it.
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Registers the certificates, read when they are first asked for, and their warnings in the log. Needs
    /// <see cref="GatewayOptions"/> and <see cref="TimeProvider"/>; <see cref="FileReloadService"/> renews them.
    /// </summary>
    public static IServiceCollection AddGatewayTls(this IServiceCollection services)
    {
        services.AddSingleton(static provider => CreateCertificates(
            provider.GetRequiredService<GatewayOptions>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Reloadable<CertificateSet>>>()));
        services.AddSingleton<IReloadable>(static provider => provider.GetRequiredService<Reloadable<CertificateSet>>());
        services.AddHostedService<CertificateWatch>();
        return services;
    }

    /// <summary>Serves TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2, with the certificate for the client's SNI.</summary>
    public static ListenOptions UseGatewayTls(this ListenOptions listener, IServiceProvider services)
    {
        var certificates = services.GetRequiredService<Reloadable<CertificateSet>>();
        var options = services.GetRequiredService<GatewayOptions>();
        var asks = options.Authentication.ClientCertificates is not null;
        var time = services.GetRequiredService<TimeProvider>();
        listener.Protocols = HttpProtocols.Http1AndHttp2;
        listener.Use(next => new PlainHttpMiddleware(next, options.PublicUrl!, HandshakeTimeout, time).OnConnectionAsync);
        listener.Use(next => new ClientHelloMiddleware(next, certificates, HandshakeTimeout, time).OnConnectionAsync);
        return listener.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTimeout,
            OnConnection = context =>
            {
                var pair = certificates.Current.Select(
                    context.ClientHelloInfo.ServerName, ClientHelloMiddleware.VerifiesEcdsa(context.Connection));
                return ValueTask.FromResult(
                    asks ? ClientCertificateHandshake.Ask(pair.Options, context.Connection) : pair.Options);
            },
        });
    }

    /// <summary>Sends <c>Strict-Transport-Security</c> on every answer over TLS. Place it first.</summary>
    public static IApplicationBuilder UseGatewayHsts(this IApplicationBuilder app)
    {
        var maxAge = app.ApplicationServices.GetRequiredService<GatewayOptions>().Tls.HstsMaxAge;
        return maxAge > TimeSpan.Zero ? app.UseMiddleware<HstsMiddleware>(maxAge) : app;
    }

    private static Reloadable<CertificateSet> CreateCertificates(
        GatewayOptions options, TimeProvider time, ILogger<Reloadable<CertificateSet>> logger) => new(
            "certificates",
            () => options.Tls.Certificates.SelectMany(static pair => new[] { pair.Certificate, pair.Key }),
            replaced => CertificateSet.Load(options.Tls, options.PublicUrl, time.GetUtcNow(), replaced.InForce),
            time,
            logger);
}
