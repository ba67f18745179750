using System.Net.Security;
using Gateway.Server.Requests.Reloading;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Gateway.Server.Requests.Tls;

/// <summary>All that the host knows of TLS.</summary>
internal static class TlsServiceExtensions
{
    // A client that opens a connection and then stalls must not hold it.
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Registers the certificates, read when they are first asked for, and their warnings in the log. Needs
    /// <see cref="TimeProvider"/>; <see cref="FileReloadService"/> renews them.
    /// </summary>
    /// <param name="services">The host's.</param>
    /// <param name="options">The section.</param>
    /// <param name="publicUrl">The URL that clients use, whose host a certificate must name.</param>
    public static IServiceCollection AddGatewayTls(this IServiceCollection services, TlsOptions options, Uri publicUrl)
    {
        services.AddSingleton(options);
        services.AddSingleton(provider => CreateCertificates(
            options,
            publicUrl,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Reloadable<CertificateSet>>>()));
        services.AddSingleton<IReloadable>(
            static provider => provider.GetRequiredService<Reloadable<CertificateSet>>());
        services.AddHostedService<CertificateWatch>();
        return services;
    }

    /// <summary>Serves TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2, with the certificate for the client's SNI.</summary>
    /// <param name="listener">The listener.</param>
    /// <param name="publicUrl">Where a client is sent that speaks plain HTTP.</param>
    /// <param name="prepare">Makes the options of one handshake from those of the chosen certificate.</param>
    public static ListenOptions UseGatewayTls(
        this ListenOptions listener,
        Uri publicUrl,
        Func<SslServerAuthenticationOptions, BaseConnectionContext, SslServerAuthenticationOptions> prepare)
    {
        var services = listener.ApplicationServices;
        var certificates = services.GetRequiredService<Reloadable<CertificateSet>>();
        var time = services.GetRequiredService<TimeProvider>();
        listener.Protocols = HttpProtocols.Http1AndHttp2;
        listener.Use(next => new PlainHttpMiddleware(next, publicUrl, HandshakeTimeout, time).OnConnectionAsync);
        listener.Use(next => new ClientHelloMiddleware(next, certificates, HandshakeTimeout, time).OnConnectionAsync);
        return listener.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTimeout,
            OnConnection = context =>
            {
                var pair = certificates.Current.Select(
                    context.ClientHelloInfo.ServerName, ClientHelloMiddleware.VerifiesEcdsa(context.Connection));
                return ValueTask.FromResult(prepare(pair.Options, context.Connection));
            },
        });
    }

    /// <summary>Sends <c>Strict-Transport-Security</c> on every answer over TLS. Place it first.</summary>
    public static IApplicationBuilder UseGatewayHsts(this IApplicationBuilder app)
    {
        var maxAge = app.ApplicationServices.GetRequiredService<TlsOptions>().HstsMaxAge;
        return maxAge > TimeSpan.Zero ? app.UseMiddleware<HstsMiddleware>(maxAge) : app;
    }

    private static Reloadable<CertificateSet> CreateCertificates(
        TlsOptions options, Uri publicUrl, TimeProvider time, ILogger<Reloadable<CertificateSet>> logger) => new(
            "certificates",
            () => options.Certificates.SelectMany(static pair => new[] { pair.Certificate, pair.Key }),
            replaced => CertificateSet.Load(options, publicUrl, time.GetUtcNow(), replaced.InForce),
            time,
            logger);
}
