namespace Gateway.Server.Registry.Contents;

/// <summary>
/// What was deleted, or is being deleted: an answer that may have been read before that is not kept. Not safe for
/// several threads: <see cref="ContentStore"/> locks.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class DeletedContents(TimeProvider time)
{
    // Beyond it nothing is kept for a while, rather than something wrong.
    private const int Most = 4_096;

    // By digest, and by the upstream's name of a repository, which is never a digest: the latest moment at which an
    // answer may have been asked for that is older than the deletion.
    private readonly Dictionary<string, long> _until = new(StringComparer.Ordinal);
    private long _allUntil;

    /// <summary>Notes a deletion.</summary>
    /// <param name="name">The digest, or the repository.</param>
    /// <param name="after">
    /// How long it may still take; zero: it is over. A deletion that is over ends the waiting for one that was open.
    /// </param>
    public void Add(string name, TimeSpan after)
    {
        var until = time.GetTimestamp() + (long)(after.TotalSeconds * time.TimestampFrequency);
        if (_until.Count >= Most && !_until.ContainsKey(name))
        {
            _allUntil = Math.Max(_allUntil, Math.Max(until, _until.Values.Max()));
            _until.Clear();
        }

        _until[name] = until;
    }

    /// <summary>Whether an answer is not kept.</summary>
    /// <param name="name">A digest, or a repository.</param>
    /// <param name="askedAt">When it was asked for, as a time stamp of <see cref="TimeProvider"/>.</param>
    public bool Contains(string name, long askedAt) =>
        askedAt <= _allUntil || (_until.TryGetValue(name, out var until) && askedAt <= until);

    /// <summary>Forgets what no answer can be older than.</summary>
    /// <param name="oldest">When the oldest answer that is on its way was asked for; now, where there is none.</param>
    public void Trim(long oldest)
    {
        foreach (var (name, until) in _until)
        {
            if (until < oldest)
            {
                _until.Remove(name);
            }
        }
    }
}
