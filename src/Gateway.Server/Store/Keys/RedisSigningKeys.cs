using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.Store.Keys;

/// <summary>The signing keys in force, read from Redis twice a second. Without Redis those in force stay.</summary>
internal sealed partial class RedisSigningKeys(
    RedisKeyStore store,
    SigningKeySchedule schedule,
    TimeProvider time,
    ILogger<RedisSigningKeys> logger) : BackgroundService, ISigningKeys, IReloadable
{
    // A start waits this long for Redis; after that the gateway serves what needs no keys.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly HashSet<string> _told = [];
    private SigningKeyRing? _current;
    private ReloadStatus _status = new(DateTimeOffset.MinValue, []);

    public SigningKeyRing Current => Volatile.Read(ref _current)
        ?? throw new StateException("There are no signing keys: Redis has not answered since the start.");

    public string Name => "keys";

    public ReloadStatus Status => Volatile.Read(ref _status);

    /// <summary>Does nothing: Redis is asked on a timer of its own, since asking takes time.</summary>
    public void ReloadIfChanged()
    {
    }

    /// <summary>Makes the first key where there is none, before anything is served.</summary>
    /// <exception cref="ProblemException">A key cannot be opened.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (_current is null && time.GetElapsedTime(started) < Patience)
        {
            try
            {
                await BeginAsync(cancellationToken);
            }
            catch (StateException exception)
            {
                Tell(new Problem("redis", exception.Message.TrimEnd('.'), null, "Make sure that Redis is running."));
                await Task.Delay(Pulse.Interval, time, cancellationToken);
            }
        }

        await base.StartAsync(cancellationToken);
    }

    /// <summary>Looks once; never throws for what Redis answers.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_current is null)
            {
                await BeginAsync(cancellationToken);
                return;
            }

            Take(await store.ReadAsync(cancellationToken));
        }
        catch (ProblemException exception)
        {
            Tell([.. exception.Problems]);
        }
        catch (StateException exception)
        {
            Tell(new Problem("redis", exception.Message.TrimEnd('.'), null, "Make sure that Redis is running."));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var pulse = Pulse.Listen(time); ;)
        {
            await pulse.WaitAsync(stoppingToken);
            await LookAsync(stoppingToken);
        }
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        if ((await store.ChangeAsync(schedule.First, cancellationToken)).Added is { } made)
        {
            SigningKeyServiceExtensions.Log.FirstMade(logger, made.Algorithm, made.Id);
        }

        Take(await store.ReadAsync(cancellationToken));
    }

    private void Take(IReadOnlyList<SigningKey> keys)
    {
        var usable = schedule.Usable(keys);
        if (usable.Count == 0)
        {
            throw new ProblemException(SigningKeyServiceExtensions.NoKey(store.Source, schedule));
        }

        // The store gives the same object for the same key.
        if (_current is null || !usable.SequenceEqual(_current.Keys))
        {
            Volatile.Write(ref _current, new SigningKeyRing(usable));
            Volatile.Write(ref _status, new ReloadStatus(time.GetUtcNow(), []));
            Log.Taken(logger, usable.Count);
        }
        else if (Status.Problems.Count > 0)
        {
            Volatile.Write(ref _status, Status with { Problems = [] });
        }

        _told.Clear();
    }

    private void Tell(params IReadOnlyList<Problem> problems)
    {
        Volatile.Write(ref _status, Status with { Problems = problems });
        foreach (var problem in problems.Select(static problem => problem.ToString()).Where(_told.Add))
        {
            Log.Refused(logger, problem);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1114, LogLevel.Information, "Signing keys were read from Redis: {Count} are in force.")]
        public static partial void Taken(ILogger logger, int count);

        [LoggerMessage(1115, LogLevel.Error,
            "Signing keys could not be read; the current ones stay in force. {Problem}")]
        public static partial void Refused(ILogger logger, string problem);
    }
}
