using System.Globalization;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Reloading;

/// <summary>A value read from files: validated, swapped whole, and the last good one kept on error.</summary>
/// <typeparam name="T">
/// An immutable snapshot. A request reads <see cref="Current"/> once and uses that to its end.
/// </typeparam>
/// <remarks>
/// Files are often written in place: truncated, then filled piece by piece. So only what two looks show alike is read,
/// and only what still looks alike after it was read comes into force. What a writer leaves half done for longer than
/// that cannot be told by looking; the loaders refuse what gives itself away as half a file.
/// </remarks>
internal sealed partial class Reloadable<T> : IReloadable
    where T : class
{
    /// <summary>
    /// How long files must look alike: a little less than the time between two looks, which are not always punctual.
    /// </summary>
    internal static readonly TimeSpan Stillness = TimeSpan.FromMilliseconds(400);

    /// <summary>
    /// How long where a file is gone: one look more, since replacing a file by removing it and writing a new one takes
    /// longer, and what is gone may be the file with a deny in it.
    /// </summary>
    internal static readonly TimeSpan StillnessOfLoss = TimeSpan.FromMilliseconds(900);

    /// <summary>After this time it is said that files do not keep still.</summary>
    internal static readonly TimeSpan LongestUnrest = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan BetweenAskedLooks = TimeSpan.FromMilliseconds(100);

    // Time alone can make a refused file good: a certificate that was not valid yet, a disk that was full.
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMinutes(1);

    private const int MostAttemptsAtStart = 3;

    private readonly Func<Replacement<T>, T> _load;
    private readonly Func<IEnumerable<string>> _paths;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _looking = new(); // the service looks, and an operator may ask for it
    private T _current;
    private ReloadStatus _status;
    private FileFingerprint _judged; // what was read last, taken or refused
    private IReadOnlyList<Problem> _verdict = []; // why it was refused; empty: it is in force
    private DateTimeOffset _retryAt;
    private Unrest? _unrest; // the files are others than those judged, and not yet read
    private bool _isAsked; // an operator wants the files judged, changed or not
    private bool _isAccepted;

    /// <summary>Reads the files for the first time.</summary>
    /// <param name="name">What it is, in logs, health and metrics.</param>
    /// <param name="paths">
    /// The files and folders that <paramref name="load"/> reads, and no others, since a file that changes all the time
    /// keeps all of them from being read. A folder means the files in it.
    /// </param>
    /// <param name="load">
    /// Reads and validates everything; throws <see cref="ProblemException"/> with every problem.
    /// </param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of each reload, and of each refused one.</param>
    /// <exception cref="ProblemException">The files are wrong: a bad first load stops the start.</exception>
    public Reloadable(
        string name,
        Func<IEnumerable<string>> paths,
        Func<Replacement<T>, T> load,
        TimeProvider time,
        ILogger<Reloadable<T>> logger)
    {
        Name = name;
        _paths = paths;
        _load = load;
        _time = time;
        _logger = logger;
        (_current, _judged) = LoadFirst();
        _status = new ReloadStatus(time.GetUtcNow(), []);
    }

    /// <inheritdoc cref="Reloadable{T}(string, Func{IEnumerable{string}}, Func{Replacement{T}, T}, TimeProvider, ILogger{Reloadable{T}})"/>
    public Reloadable(
        string name, Func<IEnumerable<string>> paths, Func<T> load, TimeProvider time, ILogger<Reloadable<T>> logger)
        : this(name, paths, _ => load(), time, logger)
    {
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
    public void ReloadIfChanged()
    {
        lock (_looking)
        {
            Look();
        }
    }

    /// <summary>Has the files judged now, changed or not; as ever only once they keep still.</summary>
    /// <param name="isAccepted">
    /// Whether they are meant although they would be held back as suspicious: this once.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, and what was asked with it.</param>
    /// <returns>How it went.</returns>
    public async Task<ReloadStatus> ReloadAsync(bool isAccepted, CancellationToken cancellationToken)
    {
        Ask(isAsked: true, isAccepted);
        try
        {
            for (var asked = _time.GetTimestamp(); _time.GetElapsedTime(asked) <= LongestUnrest;)
            {
                if (IsAnswered())
                {
                    return Status;
                }

                await Task.Delay(BetweenAskedLooks, _time, cancellationToken);
            }

            return Status with { Problems = [Restless()] };
        }
        finally
        {
            Ask(isAsked: false, isAccepted: false); // an acceptance must not wait for whatever is written next
        }
    }

    private void Ask(bool isAsked, bool isAccepted)
    {
        lock (_looking)
        {
            (_isAsked, _isAccepted) = (isAsked, isAccepted);
        }
    }

    private bool IsAnswered()
    {
        lock (_looking)
        {
            LoadedMemory.CollectAfter(Look);
            return !_isAsked;
        }
    }

    private void Look()
    {
        var seen = FileFingerprint.Of(_paths());
        if (seen.Equals(_judged) && !_isAsked)
        {
            _unrest = null;
            if (_verdict.Count > 0 && _time.GetUtcNow() >= _retryAt)
            {
                Judge(seen);
            }
            else if (!ReferenceEquals(Status.Problems, _verdict))
            {
                Volatile.Write(ref _status, Status with { Problems = _verdict }); // they have returned, as links can
            }

            return;
        }

        var now = _time.GetTimestamp();
        if (_unrest is not { } unrest || !unrest.Seen.Equals(seen))
        {
            _unrest = new Unrest(seen, now, _unrest?.Began ?? now, _unrest?.IsTold ?? false);
            TellOfUnrest();
            return;
        }

        if (_time.GetElapsedTime(unrest.Since) >= (_judged.HasMoreThan(seen) ? StillnessOfLoss : Stillness))
        {
            Judge(seen);
        }
    }

    // The content is of files that looked like this before and after it was read.
    private void Judge(FileFingerprint seen)
    {
        T? value = null;
        IReadOnlyList<Problem> problems = [];
        try
        {
            value = _load(new Replacement<T>(_current, _isAccepted));
        }
        catch (ProblemException exception)
        {
            problems = exception.Problems;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problems = [new Problem(Name, "the files cannot be read", exception.Message,
                "Make them readable for the gateway's account.")];
        }

        var after = FileFingerprint.Of(_paths());
        if (!after.Equals(seen))
        {
            var now = _time.GetTimestamp();
            _unrest = new Unrest(after, now, _unrest?.Began ?? now, _unrest?.IsTold ?? false);
            TellOfUnrest();
            return;
        }

        var isKnown = seen.Equals(_judged);
        var told = isKnown ? _verdict : [];
        (_unrest, _judged, _verdict, _isAsked, _isAccepted) = (null, seen, problems, false, false);
        if (value is not null)
        {
            Volatile.Write(ref _current, value);
            Volatile.Write(
                ref _status, new ReloadStatus(_time.GetUtcNow(), problems, Status.Reloads + 1, Status.Refusals));
            Changed?.Invoke(value);
            Log.Reloaded(_logger, Name);
            return;
        }

        Volatile.Write(ref _status, Status with { Problems = problems, Refusals = Status.Refusals + 1 });
        _retryAt = _time.GetUtcNow() + RetryInterval;
        foreach (var problem in problems.Except(told))
        {
            Log.Refused(_logger, Name, problem.ToString());
        }
    }

    private void TellOfUnrest()
    {
        if (_unrest is { IsTold: false } unrest && _time.GetElapsedTime(unrest.Began) >= LongestUnrest)
        {
            _unrest = unrest with { IsTold = true };
            var problem = Restless();
            Volatile.Write(ref _status, Status with { Problems = [problem], Refusals = Status.Refusals + 1 });
            Log.Refused(_logger, Name, problem.ToString());
        }
    }

    private Problem Restless() => new(
        Name,
        string.Create(CultureInfo.InvariantCulture,
            $"the files kept changing for {LongestUnrest.TotalSeconds} seconds"),
        null,
        "Let the program that writes them finish, or have it write to a temporary file and rename it.");

    // There is no last good one yet, so what is there must do; but never parts of two versions.
    private (T Value, FileFingerprint Files) LoadFirst()
    {
        for (var attempt = 1; ; attempt++)
        {
            var before = FileFingerprint.Of(_paths());
            try
            {
                var value = _load(default);
                if (attempt == MostAttemptsAtStart || FileFingerprint.Of(_paths()).Equals(before))
                {
                    return (value, before); // what changes after this is read again
                }
            }
            catch (ProblemException)
                when (attempt < MostAttemptsAtStart && !FileFingerprint.Of(_paths()).Equals(before))
            {
                // once more
            }
        }
    }

    /// <summary>Files that are not the ones judged.</summary>
    /// <param name="Seen">As they looked last.</param>
    /// <param name="Since">Since when they look like that.</param>
    /// <param name="Began">Since when they are others than those judged.</param>
    /// <param name="IsTold">Whether it was said that they do not keep still.</param>
    private sealed record Unrest(FileFingerprint Seen, long Since, long Began, bool IsTold);

    private static partial class Log
    {
        [LoggerMessage(1601, LogLevel.Information, "{Name} were reloaded and are in force.")]
        public static partial void Reloaded(ILogger logger, string name);

        [LoggerMessage(1602, LogLevel.Error,
            "Changed {Name} were refused; the last good version stays in force. {Problem}")]
        public static partial void Refused(ILogger logger, string name, string problem);
    }
}
