using Gateway.Configuration;

namespace Gateway.Reloading;

/// <summary>A value read from files: validated, swapped whole, and the last good one kept on error.</summary>
/// <typeparam name="T">An immutable snapshot. A request reads <see cref="Current"/> once and uses that to its end.</typeparam>
internal sealed partial class Reloadable<T> : IReloadable
    where T : class
{
    // Time alone can make a refused file good: a certificate that was not valid yet, a disk that was full.
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    private const int MostAttempts = 3;

    private readonly Func<T> _load;
    private readonly Func<IEnumerable<string>> _paths;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private T _current;
    private string _fingerprint;
    private ReloadStatus _status;
    private DateTimeOffset _retryAt;

    /// <summary>Reads the files for the first time.</summary>
    /// <param name="name">What it is, in logs, health and metrics.</param>
    /// <param name="paths">The files and folders that <paramref name="load"/> reads; a folder stands for the files in it.</param>
    /// <param name="load">Reads and validates everything; throws <see cref="ProblemException"/> with every problem.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of each reload, and of each refused one.</param>
    /// <exception cref="ProblemException">The files are wrong: a bad first load stops the start.</exception>
    public Reloadable(
        string name, Func<IEnumerable<string>> paths, Func<T> load, TimeProvider time, ILogger<Reloadable<T>> logger)
    {
        Name = name;
        _paths = paths;
        _load = load;
        _time = time;
        _logger = logger;
        // The fingerprint is taken before the content: a file that changes in between is read once more, never missed.
        _fingerprint = FileFingerprint.Of(paths());
        _current = load();
        _status = new ReloadStatus(time.GetUtcNow(), []);
    }

    /// <summary>Raised after a new value came into force, with it; for caches that depend on it.</summary>
    public event Action<T>? Changed;

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>The value in force.</summary>
    public T Current => Volatile.Read(ref _current);

    /// <inheritdoc/>
    public ReloadStatus Status => Volatile.Read(ref _status);

    /// <inheritdoc/>
    /// <remarks>Called by one thread at a time (<see cref="FileReloadService"/>).</remarks>
    public void ReloadIfChanged()
    {
        var fingerprint = FileFingerprint.Of(_paths());
        var refused = Status.Problems;
        if (fingerprint == _fingerprint && (refused.Count == 0 || _time.GetUtcNow() < _retryAt))
        {
            return;
        }

        try
        {
            var value = LoadWhole(ref fingerprint);
            Volatile.Write(ref _current, value);
            Volatile.Write(ref _status, new ReloadStatus(_time.GetUtcNow(), [], Status.Reloads + 1, Status.Refusals));
            Changed?.Invoke(value);
            Log.Reloaded(_logger, Name);
        }
        catch (ProblemException exception)
        {
            Volatile.Write(ref _status, Status with { Problems = exception.Problems, Refusals = Status.Refusals + 1 });
            _retryAt = _time.GetUtcNow() + RetryInterval;
            foreach (var problem in exception.Problems.Except(fingerprint == _fingerprint ? refused : []))
            {
                Log.Refused(_logger, Name, problem.ToString());
            }
        }

        _fingerprint = fingerprint;
    }

    // Files that are swapped while they are read are read again, rather than refused for half of the old ones beside half of
    // the new: a certificate with the key of the next.
    private T LoadWhole(ref string fingerprint)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return _load();
            }
            catch (ProblemException) when (attempt < MostAttempts && HasChanged(ref fingerprint))
            {
                // once more
            }
        }
    }

    private bool HasChanged(ref string fingerprint)
    {
        var before = fingerprint;
        return (fingerprint = FileFingerprint.Of(_paths())) != before;
    }

    private static partial class Log
    {
        [LoggerMessage(1601, LogLevel.Information, "{Name} were read again and are in force.")]
        public static partial void Reloaded(ILogger logger, string name);

        [LoggerMessage(1602, LogLevel.Error, "Changed {Name} were refused; the last good ones stay in force. {Problem}")]
        public static partial void Refused(ILogger logger, string name, string problem);
    }
}
