using System.Diagnostics;
using OpenTelemetry.Trace;

namespace Gateway.Server.Host.Telemetry;

/// <summary>Has a share of the requests traced, chosen at random, and their spans with them.</summary>
/// <remarks>Not by the trace's id, as usual, nor by the caller's flag: both are the client's choice.</remarks>
internal sealed class ShareSampler(int percent) : Sampler
{
    /// <inheritdoc/>
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var parent = samplingParameters.ParentContext;
        var isWithin = parent.SpanId != default && !parent.IsRemote;
        var isTraced = isWithin
            ? parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)
            : Random.Shared.Next(100) < percent;
        return new SamplingResult(isTraced);
    }
}
