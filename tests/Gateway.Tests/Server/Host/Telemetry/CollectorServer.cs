using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Host.Telemetry;

/// <summary>Takes what is sent by OpenTelemetry's protocol, over gRPC or HTTP, and keeps it as bytes.</summary>
internal sealed class CollectorServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, string? Key, byte[] Body)> _received = new();

    private CollectorServer(WebApplication app) => _app = app;

    public Uri Address { get; private set; } = new("http://unset");

    public static async Task<CollectorServer> StartAsync(HttpProtocols protocols)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        var app = builder.Build();
        var collector = new CollectorServer(app);
        app.Run(collector.HandleAsync);
        await app.StartAsync();
        collector.Address = new Uri(
            app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return collector;
    }

    /// <summary>The paths that were posted to, with the header <c>x-key</c>.</summary>
    public IEnumerable<(string Path, string? Key)> Posts => _received.Select(static post => (post.Path, post.Key));

    /// <summary>Whether something that was sent holds these bytes.</summary>
    public bool Holds(byte[] bytes) => _received.Any(post => post.Body.AsSpan().IndexOf(bytes) >= 0);

    /// <summary>Whether something that was sent holds this text.</summary>
    public bool Holds(string text) => Holds(Encoding.UTF8.GetBytes(text));

    /// <summary>The identity of a span or trace, as it is sent.</summary>
    public bool HoldsId(string hexadecimal) => Holds(Convert.FromHexString(hexadecimal));

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        _received.Enqueue((context.Request.Path.Value!, context.Request.Headers["x-key"], body.ToArray()));
        if (context.Request.ContentType == "application/grpc")
        {
            context.Response.ContentType = "application/grpc";
            context.Response.DeclareTrailer("grpc-status");
            await context.Response.Body.WriteAsync(new byte[5]); // an empty message
            context.Response.AppendTrailer("grpc-status", "0");
        }
    }
}
