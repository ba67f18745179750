using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// Stands where clients expect the gateway, with its certificate, hands every request on unchanged, and notes what each
/// client asked and was answered. The gateway behind it is the real program.
/// </summary>
/// <remarks>
/// Unchanged: method, target as received, headers, <c>Host</c>, HTTP version, and both bodies as they come. What a
/// proxy has to end itself is the TLS connection.
/// </remarks>
internal sealed class RecordingFront : IAsyncDisposable
{
    private static readonly UriCreationOptions AsReceived = new()
    {
        DangerousDisablePathAndQueryCanonicalization = true,
    };

    private readonly WebApplication _app;
    private readonly List<ClientRequest> _requests = [];
    private Target? _target;

    private RecordingFront(string address)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddHttpForwarder();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Parse(address), 0, listener =>
            {
                listener.Protocols = HttpProtocols.Http1AndHttp2;
                listener.UseHttps(tls => tls.ServerCertificateSelector = (_, _) => _target!.Certificate);
            });
        });
        _app = builder.Build();
        _app.Run(HandOnAsync);
    }

    /// <summary>The port that clients connect to.</summary>
    public int Port { get; private set; }

    /// <summary>
    /// Listens; it answers once <see cref="LeadTo"/> was called, since the gateway must know this port first.
    /// </summary>
    public static async Task<RecordingFront> StartAsync(string address)
    {
        var front = new RecordingFront(address);
        await front._app.StartAsync();
        var addresses =
            front._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        front.Port = new Uri(addresses.Single()).Port;
        return front;
    }

    /// <summary>Names the gateway that requests go to; its certificate is this front's from now on.</summary>
    public void LeadTo(GatewayProcess gateway) => _target = new Target(gateway);

    /// <summary>What has arrived since the last call, in this order.</summary>
    public Recording Take()
    {
        lock (_requests)
        {
            var taken = new Recording([.. _requests]);
            _requests.Clear();
            return taken;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _target?.Dispose();
    }

    private async Task HandOnAsync(HttpContext context)
    {
        var request = await ClientRequest.ReadAsync(context);
        lock (_requests)
        {
            _requests.Add(request);
        }

        var configuration = new ForwarderRequestConfig
        {
            Version = HttpProtocol.IsHttp2(context.Request.Protocol) ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        await context.RequestServices.GetRequiredService<IHttpForwarder>().SendAsync(
            context, _target!.Address, _target.Client, configuration, new Recorder(request));
    }

    private sealed class Recorder(ClientRequest request) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix,
            CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Host = httpContext.Request.Headers.Host;
            proxyRequest.RequestUri = new Uri(destinationPrefix + request.Target, AsReceived);
        }

        // The client has no byte of the answer yet: what it does next is recorded after this.
        public override async ValueTask<bool> TransformResponseAsync(
            HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
        {
            if (proxyResponse is not null)
            {
                await request.AnsweredAsync(proxyResponse, cancellationToken);
            }

            return await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        }
    }

    private sealed class Target : IDisposable
    {
        private readonly X509Certificate2 _authority;

        public Target(GatewayProcess gateway)
        {
            _authority = X509CertificateLoader.LoadCertificateFromFile(gateway.AuthorityFile);
            // PKCS #12 in between: a key that was read from PEM serves no TLS on every platform.
            using var pem = X509Certificate2.CreateFromPemFile(gateway.CertificateFile, gateway.CertificateKeyFile);
            Certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
            Address = gateway.PublicUrl.GetLeftPart(UriPartial.Authority);
            Client = new HttpMessageInvoker(gateway.CreateHandler(_authority));
        }

        public X509Certificate2 Certificate { get; }

        public string Address { get; }

        public HttpMessageInvoker Client { get; }

        public void Dispose()
        {
            Client.Dispose();
            Certificate.Dispose();
            _authority.Dispose();
        }
    }
}
