using System.Collections.Frozen;

namespace Gateway.Server.Host.Metrics;

/// <summary>
/// The list of every metric that leaves the gateway, by <c>/metrics</c> and by OTLP alike. What is not on it, and every
/// attribute that it does not name, stays here: names of hosts, repositories, users and addresses are a client's
/// choice, and each one would be a series for ever.
/// </summary>
internal static class ExportedMetrics
{
    /// <summary>The meter of the gateway's own metrics.</summary>
    public const string Own = "Gateway";

    private const string Hosting = "Microsoft.AspNetCore.Hosting";
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel";
    private const string HttpClient = "System.Net.Http";
    private const string Runtime = "System.Runtime";

    // A decision takes microseconds where everything is remembered, and a tenth of a second where a password is hashed.
    private static readonly double[] Decisions = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10,
    ];

    // A manifest takes milliseconds, a blob minutes.
    private static readonly double[] Requests = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600,
    ];

    private static readonly double[] Handshakes = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 10];

    private static readonly double[] Connections = [0.01, 0.1, 0.5, 1, 5, 10, 60, 300, 600, 3600];

    /// <summary>All of them, sorted by their name in Prometheus.</summary>
    public static IReadOnlyList<MetricDefinition> All { get; } =
    [
        .. new MetricDefinition[]
        {
            new(Own, "gateway.requests", MetricKind.Counter, "{request}", ["operation", "outcome"],
                "Requests answered on the TLS listener, by what was asked and how it ended."),
            new(Own, "gateway.request.duration", MetricKind.Histogram, "s", ["operation"],
                "From a request's headers to the last byte of its answer.", Requests),
            new(Own, "gateway.decision.duration", MetricKind.Histogram, "s", ["result"],
                "From a request's headers to the decision on its repository: parsing, sign-in and policy.", Decisions),
            new(Own, "gateway.upstream.duration", MetricKind.Histogram, "s", ["registry", "operation"],
                "From forwarding a request to the headers of the registry's answer; a body sent meanwhile is part of "
                    + "it.", Requests),
            new(Own, "gateway.sign_ins", MetricKind.Counter, "{sign-in}", ["method", "outcome"],
                "Credentials that requests presented, by their kind and the result."),
            new(Own, "gateway.tokens.issued", MetricKind.Counter, "{token}", ["kind"],
                "Tokens issued: access and refresh by the token endpoint, personal and robot by the token API."),
            new(Own, "gateway.cache.lookups", MetricKind.Counter, "{lookup}", ["cache", "result"],
                "Lookups in the gateway's caches, by hit and miss."),
            new(Own, "gateway.content.requests", MetricKind.Counter, "{request}", ["registry", "result"],
                "Requests for manifests and blobs while the content cache is on, by how they were answered."),
            new(Own, "gateway.content.repository.requests", MetricKind.Counter, "{request}",
                ["registry", "repository", "result"],
                "The same for each of the hundred repositories with the most hits; all others together have no "
                    + "repository."),
            new(Own, "gateway.content.fills", MetricKind.Counter, "{answer}", ["registry", "outcome"],
                "Answers of registries that the content cache might have kept, by what came of them."),
            new(Own, "gateway.content.evictions", MetricKind.Counter, "{content}", ["registry", "reason"],
                "Contents that left the content cache, by why."),
            new(Own, "gateway.content.entries", MetricKind.Gauge, "{content}", ["registry"],
                "Contents in the content cache."),
            new(Own, "gateway.content.size", MetricKind.Gauge, "By", ["registry"],
                "Memory that the contents in the content cache take."),
            new(Own, "gateway.limit.hits", MetricKind.Counter, "{hit}", ["rule"],
                "Requests that a limit refused, by the limit's name in the configuration."),
            new(Own, "gateway.limit.calls", MetricKind.Counter, "{call}", [],
                "Calls to Redis for limits and failed sign-ins; absent without Redis."),
            new(Own, "gateway.limit.leased", MetricKind.Counter, "{request}", [],
                "Requests whose permits had been leased before, so that Redis was not called; absent without Redis."),
            new(Own, "gateway.audit.lost", MetricKind.Counter, "{line}", [],
                "Lines of the audit trail that were lost in an outage of the file or of standard output."),
            new(Own, "gateway.bytes", MetricKind.Counter, "By", ["direction"],
                "Bytes of bodies passed on: in from clients to registries, out from registries or the content cache "
                    + "to clients."),
            new(Own, "gateway.redis.up", MetricKind.Gauge, "", [],
                "1 while there is a connection to Redis; absent where none is configured or used."),
            new(Own, "gateway.upstream.up", MetricKind.Gauge, "", ["registry"],
                "1 while at least one of a registry's upstreams is healthy."),
            new(Own, "gateway.part.up", MetricKind.Gauge, "", ["part"],
                "1 while a part that readyz names works, such as the token store."),
            new(Own, "gateway.reload.failing", MetricKind.Gauge, "", ["files"],
                "1 while changed files are refused and the last good ones are in force."),
            new(Own, "gateway.reload.last_success.timestamp", MetricKind.Gauge, "s", ["files"],
                "When the files in force were read, in seconds since 1970."),
            new(Own, "gateway.reloads", MetricKind.Counter, "{reload}", ["files", "outcome"],
                "Changed files that were read again, by whether they were accepted."),
            new(Own, "gateway.certificate.expiry", MetricKind.Gauge, "s", ["certificate", "key"],
                "Time until a served certificate expires; negative once it has."),
            new(Own, "gateway.rotation.due", MetricKind.Gauge, "{secret}", ["kind"],
                "Keys, passwords, tokens, certificates and secrets that are due for rotation, "
                + "as in the log's daily line."),
            new(Own, "gateway.build.info", MetricKind.Gauge, "", ["version"],
                "Always 1; the label is the running version."),
            new(Own, "gateway.metrics.dropped", MetricKind.Counter, "{measurement}", [],
                "Measurements left out because their metric had too many series already; always 0 unless a label is "
                    + "unbounded."),

            new(Hosting, "http.server.active_requests", MetricKind.Gauge, "{request}", [],
                "Requests being served at this moment."),
            new(Hosting, "http.server.request.duration", MetricKind.Histogram, "s",
                ["http.request.method", "http.response.status_code", "network.protocol.version"],
                "Time of all requests on the TLS and the redirecting listener, by method, status and version of HTTP.",
                Requests),
            new(Kestrel, "kestrel.active_connections", MetricKind.Gauge, "{connection}", ["server.port"],
                "Connections from clients that are open, by the listener's port."),
            new(Kestrel, "kestrel.connection.duration", MetricKind.Histogram, "s", ["server.port"],
                "How long connections were open.", Connections),
            new(Kestrel, "kestrel.rejected_connections", MetricKind.Counter, "{connection}", ["server.port"],
                "Connections closed at once because there were too many."),
            new(Kestrel, "kestrel.tls_handshake.duration", MetricKind.Histogram, "s", ["tls.protocol.version"],
                "Time of TLS handshakes, failed ones included; those have no version.", Handshakes),
            new(Kestrel, "kestrel.active_tls_handshakes", MetricKind.Gauge, "{handshake}", ["server.port"],
                "TLS handshakes in progress."),
            new(HttpClient, "http.client.open_connections", MetricKind.Gauge, "{connection}", ["http.connection.state"],
                "Connections to registries that are open, by whether one is in use."),
            new(HttpClient, "http.client.request.time_in_queue", MetricKind.Histogram, "s", [],
                "How long requests waited for a connection to a registry.", Requests),
            new(Runtime, "dotnet.process.cpu.time", MetricKind.Counter, "s", ["cpu.mode"],
                "Processor time used, by mode."),
            new(Runtime, "dotnet.process.memory.working_set", MetricKind.Gauge, "By", [],
                "Memory that the process holds."),
            new(Runtime, "dotnet.gc.collections", MetricKind.Counter, "{collection}", ["gc.heap.generation"],
                "Garbage collections, by generation."),
            new(Runtime, "dotnet.gc.pause.time", MetricKind.Counter, "s", [],
                "Time in which garbage collections paused the process."),
            new(Runtime, "dotnet.gc.heap.total_allocated", MetricKind.Counter, "By", [],
                "Bytes allocated on the heap since the start."),
            new(Runtime, "dotnet.gc.last_collection.memory.committed_size", MetricKind.Gauge, "By", [],
                "Memory that the heap held after the last collection."),
            new(Runtime, "dotnet.thread_pool.queue.length", MetricKind.Gauge, "{work_item}", [],
                "Work that waits for a thread; if it stays above zero, there is too little processor time."),
            new(Runtime, "dotnet.exceptions", MetricKind.Counter, "{exception}", [],
                "Exceptions thrown, handled ones included."),
        }.OrderBy(static metric => metric.PrometheusName, StringComparer.Ordinal),
    ];

    private static readonly FrozenDictionary<(string Meter, string Name), MetricDefinition> ByInstrument =
        All.ToFrozenDictionary(static metric => (metric.Meter, metric.Name));

    /// <summary>The meters that these metrics come from.</summary>
    public static IReadOnlyList<string> Meters { get; } = [.. All.Select(static metric => metric.Meter).Distinct()];

    /// <summary>The metric of an instrument, or <see langword="null"/> where it does not leave the gateway.</summary>
    public static MetricDefinition? Find(string meter, string instrument) =>
        ByInstrument.GetValueOrDefault((meter, instrument));
}
