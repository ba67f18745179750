namespace Gateway.Server.Records.Audit;

/// <summary>Counts lines that were lost, until an <see cref="OutageEntry"/> tells of them. Its owner locks.</summary>
internal sealed class LostLines
{
    private long _told;
    private LostSpan _untold;

    /// <summary>How many there were since the start.</summary>
    public long Total => _told + _untold.Count;

    /// <summary>Counts one more.</summary>
    /// <param name="time">When what it was about happened.</param>
    public void Add(DateTimeOffset time) =>
        _untold = new LostSpan(_untold.Count + 1, _untold.Count == 0 ? time : _untold.From, time);

    /// <summary>Those that no line tells of yet. They count as told unless they are put back.</summary>
    public LostSpan Take()
    {
        var span = _untold;
        _told += span.Count;
        _untold = default;
        return span;
    }

    /// <summary>Puts back what was taken and could not be told.</summary>
    public void PutBack(LostSpan span)
    {
        if (span.Count > 0)
        {
            _told -= span.Count;
            _untold = new LostSpan(
                _untold.Count + span.Count, span.From, _untold.Count == 0 ? span.Until : _untold.Until);
        }
    }
}

/// <summary>So many lines, from when until when.</summary>
internal readonly record struct LostSpan(long Count, DateTimeOffset From, DateTimeOffset Until);
