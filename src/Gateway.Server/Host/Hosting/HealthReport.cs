using System.Text;
using System.Text.Json;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Requests.Tls;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Gateway.Server.Host.Hosting;

/// <summary>Answers <c>/healthz</c> (the process lives) and <c>/readyz</c> (each part with its state).</summary>
internal sealed class HealthReport(
    IEnumerable<IReloadable> reloadables,
    IEnumerable<IHealthPart> parts,
    IEnumerable<RedisConnection> redis, // one or none
    Reloadable<CertificateSet> certificates,
    RegistryRouter router,
    IProxyStateLookup clusters,
    RunningRequests running,
    TimeProvider time,
    IHostApplicationLifetime lifetime)
{
    private static readonly ReadOnlyMemory<byte> Alive = "{\"status\":\"alive\"}"u8.ToArray();

    /// <summary>Whether a request asks for health.</summary>
    public static bool IsHealthPath(HttpContext context) => context.Request.Path.Value is "/healthz" or "/readyz";

    /// <summary>Whether at least one upstream of a registry seems to work.</summary>
    public static bool IsHealthy(IProxyStateLookup clusters, UpstreamRegistry registry) =>
        clusters.TryGetCluster(registry.Name, out var cluster)
        && cluster.Destinations.Values.Any(static destination =>
            destination.Health is
            {
                Active: not DestinationHealth.Unhealthy,
                Passive: not DestinationHealth.Unhealthy
            });

    /// <summary>Answers a health path, and 404 to any other.</summary>
    /// <param name="context">The request.</param>
    /// <param name="isKnownHost">
    /// Whether it asks by a name of ours or an address. To others <c>/readyz</c> says the status and no parts.
    /// </param>
    public async Task TryAnswerAsync(HttpContext context, bool isKnownHost)
    {
        GatewayContext.Of(context).IsRecorded = false; // asked every few seconds by those who watch; nothing is decided
        if (!IsHealthPath(context))
        {
            await context.WriteErrorAsync(RegistryError.NotFound(
                "there is nothing at this path; use /healthz, /readyz or, on the management listener, /metrics"));
            return;
        }

        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        if (context.Request.Path.Value == "/healthz")
        {
            await context.Response.Body.WriteAsync(Alive, context.RequestAborted);
            return;
        }

        // A refused reload or an upstream that is down degrades; a process that is ending is not ready, nor one that
        // lacks what it needs itself, since another replica would see the same files and the same upstream.
        var ending = running.IsEnding || lifetime.ApplicationStopping.IsCancellationRequested;
        context.Response.StatusCode = ending || parts.Any(static part => part is { IsEssential: true, IsUp: false })
            ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        await context.Response.Body.WriteAsync(Describe(ending, isKnownHost), context.RequestAborted);
    }

    private ReadOnlyMemory<byte> Describe(bool ending, bool withParts)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer);
        var degraded = false;
        json.WriteStartObject();
        json.WriteStartObject("registries");
        foreach (var registry in router.Registries)
        {
            var healthy = IsHealthy(clusters, registry);
            degraded |= !healthy;
            json.WriteString(registry.Name, healthy ? "ok" : "down");
        }

        json.WriteEndObject();
        json.WriteStartObject("files");
        foreach (var reloadable in reloadables)
        {
            var status = reloadable.Status;
            degraded |= status.Problems.Count > 0;
            json.WriteStartObject(reloadable.Name);
            json.WriteString("status", status.Problems.Count > 0 ? "the last good ones are in force" : "ok");
            json.WriteString("loadedAt", status.LoadedAt);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        degraded |= WriteCertificates(json);
        if (redis.FirstOrDefault()?.IsConnected is { } isConnected)
        {
            degraded |= !isConnected;
            json.WriteString("redis", isConnected ? "ok" : "down");
        }

        foreach (var part in parts)
        {
            var isUp = part.IsUp;
            degraded |= !isUp;
            json.WriteString(part.Name, isUp ? "ok" : "down");
        }

        var overall = ending ? "ending" : degraded ? "degraded" : "ok";
        if (!withParts)
        {
            return Encoding.UTF8.GetBytes($"{{\"status\":\"{overall}\"}}");
        }

        json.WriteString("status", overall);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    /// <returns>Whether one of them is refused by clients.</returns>
    private bool WriteCertificates(Utf8JsonWriter json)
    {
        var now = time.GetUtcNow();
        var refused = false;
        json.WriteStartArray("certificates");
        foreach (var certificate in certificates.Current.Certificates)
        {
            refused |= !certificate.IsValidAt(now);
            json.WriteStartObject();
            json.WriteString("name", certificate.DisplayName);
            json.WriteString(
                "status",
                certificate.IsValidAt(now) ? "ok" : now < certificate.NotBefore ? "not valid yet" : "expired");
            json.WriteString("expiresAt", certificate.NotAfter);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        return refused;
    }
}
