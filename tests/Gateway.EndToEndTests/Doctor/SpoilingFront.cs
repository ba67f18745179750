using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Gateway.EndToEndTests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>A proxy in front of the gateway, as companies have them, that does one thing wrong.</summary>
internal sealed class SpoilingFront : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _client;
    private readonly string _gateway;

    private SpoilingFront(WebApplication app, HttpMessageInvoker client, string gateway, int port) =>
        (_app, _client, _gateway, Port) = (app, client, gateway, port);

    public int Port { get; }

    public Uri Url => new($"https://{TrustedHost.Name}:{Port}");

    /// <summary>Answers instead of the gateway; <see langword="false"/>: it does not.</summary>
    public Func<HttpContext, Task<bool>>? Instead { get; set; }

    /// <summary>Changes what goes to the gateway.</summary>
    public Action<HttpRequestMessage>? OnRequest { get; set; }

    /// <summary>Changes what comes back; the body may be set.</summary>
    public Func<HttpContext, byte[], byte[]>? OnAnswer { get; set; }

    /// <summary>Whether a body is collected before anything is passed on.</summary>
    public bool Collects { get; set; }

    /// <summary>Starts one.</summary>
    /// <param name="gateway">The gateway behind it.</param>
    /// <param name="pair">What it shows.</param>
    /// <param name="chain">What it sends beside it, PEM.</param>
    /// <param name="speaksTls">Whether it does.</param>
    public static async Task<SpoilingFront> StartAsync(
        GatewayProcess gateway, LaboratoryCertificates.Issued pair, string chain, bool speaksTls = true)
    {
        using var loose = X509Certificate2.CreateFromPem(pair.Certificate, pair.Key);
        var certificate = X509CertificateLoader.LoadPkcs12(loose.Export(X509ContentType.Pkcs12), null);
        var others = new X509Certificate2Collection();
        if (chain.Length > 0)
        {
            others.ImportFromPem(chain);
        }

        var port = TestPaths.FreePort();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Parse(TrustedHost.Address), port, listen =>
            {
                if (speaksTls)
                {
                    listen.UseHttps(new Microsoft.AspNetCore.Server.Kestrel.Https.TlsHandshakeCallbackOptions
                    {
                        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
                        {
                            ServerCertificateContext = SslStreamCertificateContext.Create(
                                certificate, others, offline: true),
                            EnabledSslProtocols = SslProtocols.None,
                        }),
                    });
                }
            });
        });
        var app = builder.Build();
        using var authority = X509CertificateLoader.LoadCertificateFromFile(gateway.AuthorityFile);
        var front = new SpoilingFront(
            app,
            new HttpMessageInvoker(gateway.CreateHandler(X509CertificateLoader.LoadCertificate(authority.RawData))),
            gateway.Authority, port);
        app.Run(front.HandleAsync);
        await app.StartAsync();
        return front;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        if (Collects && context.Request.ContentLength > 0)
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        }

        if (Instead is not null && await Instead(context))
        {
            return;
        }

        // The gateway is told the name that clients use, and builds its addresses from its own configuration.
        using var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method),
            $"https://{_gateway}{context.Request.Path}{context.Request.QueryString}");
        if (context.Request.ContentLength > 0 && !Collects)
        {
            request.Content = new StreamContent(context.Request.Body);
            // else this client sends all of the body before it looks at an answer
            request.Headers.ExpectContinue = true;
        }

        foreach (var (name, values) in context.Request.Headers.Where(static header => header.Key is not "Host"))
        {
            if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }

        OnRequest?.Invoke(request);
        using var answer = await _client.SendAsync(request, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers).Where(
            static header => header.Key is not ("Transfer-Encoding" or "Connection")))
        {
            context.Response.Headers[name] = values.Select(
                value => value.Replace(
                    $"https://{_gateway}", $"https://{TrustedHost.Name}:{Port}", StringComparison.Ordinal)).ToArray();
        }

        var body = await answer.Content.ReadAsByteArrayAsync(context.RequestAborted);
        body = OnAnswer?.Invoke(context, body) ?? body;
        context.Response.ContentLength = HttpMethods.IsHead(context.Request.Method) ? null : body.Length;
        if (!HttpMethods.IsHead(context.Request.Method) && context.Response.StatusCode is not (204 or 304))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
        else
        {
            context.Response.ContentLength = null;
        }
    }
}
