using System.Buffers;
using System.Diagnostics;

namespace Gateway.Server.Requests.Pipeline;

/// <summary>Reads and writes W3C trace context, and nothing else that could travel with a request.</summary>
/// <remarks>
/// The framework's own propagator also carries baggage, which is any text that a client likes, into the upstream's
/// requests and logs. It also believes a client's "sampled" flag, by which anybody could have everything recorded.
/// </remarks>
internal sealed class TraceContext : DistributedContextPropagator
{
    /// <summary>The header that names the trace and the caller's span.</summary>
    public const string Parent = "traceparent";

    /// <summary>The header that tracing systems keep their own notes in.</summary>
    public const string State = "tracestate";

    // W3C Trace Context, section 3.3.1.5: at least this much should be passed on. Nothing asks for more.
    private const int LongestState = 512;
    private const int ParentLength = 55;

    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> Fields { get; } = [Parent, State];

    /// <summary>Whether a header's value is a <c>traceparent</c> of the one version there is.</summary>
    public static bool IsParent(string? text) =>
        text is { Length: ParentLength } && text.StartsWith("00-", StringComparison.Ordinal) && text[35] == '-'
        && text[52] == '-'
        && IsId(text.AsSpan(3, 32)) && IsId(text.AsSpan(36, 16)) && !text.AsSpan(53).ContainsAnyExcept(Hexadecimal);

    /// <summary>Whether a header's value may be passed on as <c>tracestate</c>.</summary>
    public static bool IsState(string? text) =>
        text is { Length: > 0 and <= LongestState } && !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    /// <inheritdoc/>
    public override void ExtractTraceIdAndState(
        object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState)
    {
        (traceId, traceState) = (null, null);
        if (getter is null)
        {
            return;
        }

        getter(carrier, Parent, out var parent, out _);
        if (IsParent(parent))
        {
            traceId = string.Concat(parent.AsSpan(0, ParentLength - 2), "00"); // what is recorded is chosen here
            getter(carrier, State, out var state, out _);
            traceState = IsState(state) ? state : null;
        }
    }

    /// <inheritdoc/>
    public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(
        object? carrier, PropagatorGetterCallback? getter) =>
        null;

    /// <inheritdoc/>
    public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter)
    {
        if (activity is { IdFormat: ActivityIdFormat.W3C, Id: { } id } && setter is not null)
        {
            setter(carrier, Parent, id);
            if (activity.TraceStateString is { Length: > 0 } state)
            {
                setter(carrier, State, state);
            }
        }
    }

    private static bool IsId(ReadOnlySpan<char> text) =>
        !text.ContainsAnyExcept(Hexadecimal) && text.ContainsAnyExcept('0');
}
