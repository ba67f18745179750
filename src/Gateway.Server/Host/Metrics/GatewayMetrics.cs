using System.Diagnostics;
using System.Diagnostics.Metrics;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Host.Metrics;

/// <summary>
/// The gateway's own instruments. Their labels come from fixed lists or from the configuration, never from a client.
/// </summary>
internal sealed class GatewayMetrics
{
    private static readonly string[] Operations = NamesOf<RegistryOperation>();
    private static readonly string[] Forms = NamesOf<SignInForm>();
    private static readonly string[] SignInOutcomes = NamesOf<SignInOutcome>();

    private readonly Counter<long> _requests;
    private readonly Histogram<double> _requestDuration;
    private readonly Histogram<double> _decisionDuration;
    private readonly Histogram<double> _upstreamDuration;
    private readonly Counter<long> _signIns;
    private readonly Counter<long> _tokensIssued;
    private readonly Counter<long> _limitHits;
    private readonly Counter<long> _bytes;

    public GatewayMetrics(IMeterFactory meters)
    {
        Meter = meters.Create(ExportedMetrics.Own);
        _requests = Counter("gateway.requests");
        _requestDuration = Histogram("gateway.request.duration");
        _decisionDuration = Histogram("gateway.decision.duration");
        _upstreamDuration = Histogram("gateway.upstream.duration");
        _signIns = Counter("gateway.sign_ins");
        _tokensIssued = Counter("gateway.tokens.issued");
        _limitHits = Counter("gateway.limit.hits");
        _bytes = Counter("gateway.bytes");
    }

    /// <summary>The meter, for what is only read when asked.</summary>
    public Meter Meter { get; }

    /// <summary>The name of an operation in a label.</summary>
    public static string NameOf(RegistryOperation operation) => Operations[(int)operation];

    /// <summary>A request was answered.</summary>
    /// <param name="operation">What was asked, from a fixed list.</param>
    /// <param name="outcome">How it ended, from a fixed list.</param>
    /// <param name="duration">How long it took.</param>
    public void RequestEnded(string operation, string outcome, TimeSpan duration)
    {
        _requests.Add(1, new("operation", operation), new("outcome", outcome));
        _requestDuration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("operation", operation));
    }

    /// <summary>A registry request was decided.</summary>
    public void Decided(bool isAllowed, TimeSpan duration) => _decisionDuration.Record(
        duration.TotalSeconds, new KeyValuePair<string, object?>("result", isAllowed ? "allowed" : "denied"));

    /// <summary>A registry answered.</summary>
    /// <param name="registry">Its name in the configuration.</param>
    /// <param name="operation">What was forwarded.</param>
    /// <param name="duration">Until the headers of its answer.</param>
    public void UpstreamAnswered(string registry, RegistryOperation operation, TimeSpan duration) =>
        _upstreamDuration.Record(
        duration.TotalSeconds, new("registry", registry), new("operation", NameOf(operation)));

    /// <summary>Credentials were judged.</summary>
    public void SignedIn(SignInAttempt attempt) => _signIns.Add(
        1, new("method", Forms[(int)attempt.Form]), new("outcome", SignInOutcomes[(int)attempt.Outcome]));

    /// <summary>A token was issued.</summary>
    /// <param name="kind">From a fixed list: access, refresh, personal, robot.</param>
    public void TokenIssued(string kind) => _tokensIssued.Add(1, new KeyValuePair<string, object?>("kind", kind));

    /// <summary>A limit refused a request.</summary>
    /// <param name="ruleName">The limit's name in the configuration; never a subject or an address.</param>
    public void LimitHit(string ruleName) => _limitHits.Add(1, new KeyValuePair<string, object?>("rule", ruleName));

    /// <summary>Bodies were passed on.</summary>
    /// <param name="received">Bytes from the client.</param>
    /// <param name="sent">Bytes to the client.</param>
    public void Transferred(long received, long sent)
    {
        if (received > 0)
        {
            _bytes.Add(received, new KeyValuePair<string, object?>("direction", "in"));
        }

        if (sent > 0)
        {
            _bytes.Add(sent, new KeyValuePair<string, object?>("direction", "out"));
        }
    }

    private static string[] NamesOf<T>()
        where T : struct, Enum =>
        [.. Enum.GetNames<T>().Select(System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    private Counter<long> Counter(string name)
    {
        var definition = Definition(name);
        return Meter.CreateCounter<long>(name, definition.Unit, definition.Meaning);
    }

    private Histogram<double> Histogram(string name)
    {
        var definition = Definition(name);
        return Meter.CreateHistogram<double>(name, definition.Unit, definition.Meaning);
    }

    private static MetricDefinition Definition(string name) => ExportedMetrics.Find(ExportedMetrics.Own, name)
        ?? throw new UnreachableException($"{name} is not on the list of metrics");
}
