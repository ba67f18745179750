using System.Diagnostics.Metrics;
using System.Reflection;
using Gateway.Foundation.Caching;
using Gateway.Server.Host.Hosting;
using Gateway.Server.Host.Rotation;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Records.Audit;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Requests.Tls;
using Yarp.ReverseProxy;

namespace Gateway.Server.Host.Metrics;

/// <summary>
/// What is true of the gateway at the moment it is asked: reloads, certificates, registries, Redis, caches.
/// </summary>
internal sealed class StateInstruments(
    GatewayMetrics metrics,
    MetricStore store,
    IEnumerable<IReloadable> reloadables,
    IEnumerable<IHealthPart> parts,
    IEnumerable<IMeasuredCache> caches,
    IEnumerable<RedisConnection> redis, // one or none
    IEnumerable<LimitRedis> limits, // the same
    IEnumerable<LimitLeases> leases, // the same
    ContentFigures contents,
    AuditTrail audit,
    RegistryRouter router,
    IProxyStateLookup clusters,
    Reloadable<CertificateSet> certificates,
    RotationReminders rotation,
    TimeProvider time)
{
    /// <summary>The version that runs.</summary>
    public static string Version { get; } = typeof(StateInstruments).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    /// <summary>Creates the instruments; who listens to the meter reads them from then on.</summary>
    public void Create()
    {
        Gauge(
            "gateway.build.info",
            static () => [new Measurement<double>(1, new KeyValuePair<string, object?>("version", Version))]);
        Gauge("gateway.upstream.up", () => router.Registries.Select(registry => Flag(
            HealthReport.IsHealthy(clusters, registry), "registry", registry.Name)));
        Gauge("gateway.part.up", () => parts.Select(static part => Flag(part.IsUp, "part", part.Name)));
        if (redis.FirstOrDefault() is { } connection)
        {
            Gauge(
                "gateway.redis.up",
                () => connection.IsConnected is { } isUp ? [new Measurement<double>(isUp ? 1 : 0)] : []);
        }

        Gauge("gateway.reload.failing", () => reloadables.Select(static files => Flag(
            files.Status.Problems.Count > 0, "files", files.Name)));
        Gauge("gateway.reload.last_success.timestamp", () => reloadables.Select(static files => new Measurement<double>(
            files.Status.LoadedAt.ToUnixTimeMilliseconds() / 1000d,
            new KeyValuePair<string, object?>("files", files.Name))));
        Gauge("gateway.certificate.expiry", ReadExpiries);
        Gauge("gateway.rotation.due", () => rotation.Due.Select(static kind => new Measurement<double>(
            kind.Names.Count, new KeyValuePair<string, object?>("kind", kind.Kind))));
        Counter("gateway.reloads", () => reloadables.SelectMany(static files => new[]
        {
            Count(files.Status.Reloads, "files", files.Name, "outcome", "taken"),
            Count(files.Status.Refusals, "files", files.Name, "outcome", "refused"),
        }));
        Counter("gateway.cache.lookups", () => caches.SelectMany(static cache => new[]
        {
            Count(cache.Lookups.Hits, "cache", cache.Lookups.Name, "result", "hit"),
            Count(cache.Lookups.Misses, "cache", cache.Lookups.Name, "result", "miss"),
        }));
        Counter("gateway.limit.calls", () => limits.Select(static one => new Measurement<long>(one.Calls)));
        Counter("gateway.limit.leased", () => leases.Select(static one => new Measurement<long>(one.Taken)));
        CreateForContents();
        Counter("gateway.audit.lost", () => [new Measurement<long>(audit.Lost)]);
        Counter("gateway.metrics.dropped", () => [new Measurement<long>(store.Dropped)]);
    }

    private void CreateForContents()
    {
        Counter("gateway.content.requests", () => CountAll<ContentResult>(
            RegistryFigures.Results, static (figures, result) => figures.Read(result), "result"));
        Counter("gateway.content.fills", () => CountAll<ContentOutcome>(
            RegistryFigures.Outcomes, static (figures, outcome) => figures.Read(outcome), "outcome"));
        Counter("gateway.content.evictions", () => CountAll<ContentEnd>(
            RegistryFigures.Ends, static (figures, end) => figures.Read(end), "reason"));
        Counter("gateway.content.repository.requests", () => contents.Repositories.Read().SelectMany(static one => new[]
        {
            OfRepository(one.Hits, one.Registry, one.Repository, "hit"),
            OfRepository(one.Misses, one.Registry, one.Repository, "miss"),
        }));
        Gauge("gateway.content.entries", () => contents.Registries.Select(static figures => new Measurement<double>(
            figures.Entries, new KeyValuePair<string, object?>("registry", figures.Name))));
        Gauge("gateway.content.size", () => contents.Registries.Select(static figures => new Measurement<double>(
            figures.Bytes, new KeyValuePair<string, object?>("registry", figures.Name))));

        IEnumerable<Measurement<long>> CountAll<T>(string[] names, Func<RegistryFigures, T, long> read, string label)
            where T : struct, Enum =>
            from figures in contents.Registries
            from value in Enum.GetValues<T>().Select(static (value, index) => (Value: value, Index: index))
            select Count(read(figures, value.Value), "registry", figures.Name, label, names[value.Index]);

        static Measurement<long> OfRepository(long count, string registry, string repository, string result) =>
            new(count, new("registry", registry), new("repository", repository), new("result", result));
    }

    // A name may have an ECDSA and an RSA certificate, or be in several; the first to expire is the one that matters.
    private IEnumerable<Measurement<double>> ReadExpiries()
    {
        var now = time.GetUtcNow();
        return certificates.Current.Certificates
            .GroupBy(
                static certificate =>
                    (certificate.DisplayName, Key: certificate.KeyAlgorithm.Split(' ')[0].ToLowerInvariant()))
            .Select(same => new Measurement<double>(
                same.Min(certificate => (certificate.NotAfter - now).TotalSeconds),
                new("certificate", same.Key.DisplayName),
                new("key", same.Key.Key)));
    }

    private void Gauge(string name, Func<IEnumerable<Measurement<double>>> read)
    {
        var definition = ExportedMetrics.Find(ExportedMetrics.Own, name)!;
        metrics.Meter.CreateObservableGauge(name, read, definition.Unit, definition.Meaning);
    }

    private void Counter(string name, Func<IEnumerable<Measurement<long>>> read)
    {
        var definition = ExportedMetrics.Find(ExportedMetrics.Own, name)!;
        metrics.Meter.CreateObservableCounter(name, read, definition.Unit, definition.Meaning);
    }

    private static Measurement<double> Flag(bool isSet, string label, string value) =>
        new(isSet ? 1 : 0, new KeyValuePair<string, object?>(label, value));

    private static Measurement<long> Count(
        long count, string label, string value, string otherLabel, string otherValue) =>
        new(count, new(label, value), new(otherLabel, otherValue));
}
