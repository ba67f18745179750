using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Gateway.Server.Requests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Support;

/// <summary>
/// An upstream that writes down every request and answers as a test tells it; 200 to everything unless told.
/// </summary>
internal sealed class RecordingUpstream : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<RecordedRequest> _requests = new();

    private RecordingUpstream(WebApplication app) => _app = app;

    /// <summary>
    /// What it answers. The probe of the health check (<c>GET /v2/</c>) is answered apart and not recorded.
    /// </summary>
    public Func<HttpContext, Task> Respond { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Whether bodies are read before <see cref="Respond"/> runs.</summary>
    public bool ReadsBodies { get; set; } = true;

    /// <summary>What the health check's probe is answered.</summary>
    public int ProbeStatus { get; set; } = 200;

    public IReadOnlyList<RecordedRequest> Requests => [.. _requests];

    public Uri Address { get; private set; } = new("http://unset");

    /// <param name="pair">Its certificate; without one it speaks plain HTTP.</param>
    public static async Task<RecordingUpstream> StartAsync(CertificateOptions? pair = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                if (pair is not null)
                {
                    listen.UseHttps(X509Certificate2.CreateFromPemFile(pair.Certificate, pair.Key));
                }
            });
        });
        var app = builder.Build();
        var upstream = new RecordingUpstream(app);
        app.Run(upstream.HandleAsync);
        await app.StartAsync();
        upstream.Address = new Uri(
            app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return upstream;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (context.Request.Method == "GET" && target == "/v2/")
        {
            context.Response.StatusCode = ProbeStatus;
            return;
        }

        var body = new MemoryStream();
        if (ReadsBodies)
        {
            await context.Request.Body.CopyToAsync(body);
        }

        _requests.Enqueue(new RecordedRequest(
            context.Request.Method,
            target,
            context.Request.Headers.ToDictionary(
                static header => header.Key, static header => header.Value.ToString(),
                StringComparer.OrdinalIgnoreCase),
            body.ToArray()));
        await Respond(context);
    }
}

/// <summary>A request as an upstream received it.</summary>
internal sealed record RecordedRequest(
    string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body);
