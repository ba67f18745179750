using System.Collections.Concurrent;

namespace Gateway.Server.Registry.Contents;

/// <summary>Tells the operator that a registry serves content that is not what it says it is.</summary>
internal sealed partial class ContentAlarm(TimeProvider time, ILogger<ContentAlarm> logger)
{
    private static readonly TimeSpan BetweenReports = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, long> _reported = new();

    /// <summary>Tells it, once a minute for each registry.</summary>
    /// <param name="requestId">The request that met it.</param>
    /// <param name="key">What was asked.</param>
    /// <param name="outcome">What is wrong: the digest, or the type.</param>
    public void Report(string requestId, in ContentKey key, ContentOutcome outcome)
    {
        var now = time.GetTimestamp();
        if (_reported.TryGetValue(key.Registry, out var last) && time.GetElapsedTime(last, now) < BetweenReports)
        {
            return;
        }

        _reported[key.Registry] = now;
        if (outcome == ContentOutcome.Digest)
        {
            Log.Corrupt(logger, requestId, key.Registry, key.Repository, key.Reference);
        }
        else
        {
            Log.Mistyped(logger, requestId, key.Registry, key.Repository, key.Reference);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1420, LogLevel.Error,
            "Request {RequestId}: what registry {Registry} answers for {Repository} {Reference} does not have its "
            + "digest. It is not kept in memory, and clients that ask by digest are answered 502. The registry's "
            + "storage may be damaged, or something between changes content. Other content is not affected.")]
        public static partial void Corrupt(
            ILogger logger, string requestId, string registry, string repository, string reference);

        [LoggerMessage(1421, LogLevel.Warning,
            "Request {RequestId}: what registry {Registry} answers for {Repository} {Reference} is not a manifest of "
            + "the media type that it says. It is passed on as it is, and not kept in memory.")]
        public static partial void Mistyped(
            ILogger logger, string requestId, string registry, string repository, string reference);
    }
}
