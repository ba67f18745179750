using Microsoft.Win32.SafeHandles;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// Space that is set aside on the disk behind a file's end, for the lines of requests that are under way: a disk that
/// becomes full is noticed while there still is room for all that was accepted.
/// </summary>
internal sealed class AuditSpace(TimeProvider time)
{
    /// <summary>
    /// How much is set aside at a time, in bytes; when half of it is used, the next is. Some 40,000 lines.
    /// </summary>
    public const long Size = 32 * 1024 * 1024;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new(); // the file's writer and those who ask for room
    private SafeFileHandle? _file;
    private long _end;
    private long _until;
    private long _triedAt;
    private volatile bool _isFull;

    /// <summary>
    /// Whether there is room for more; where there was none, it is looked again a few times a second.
    /// </summary>
    public bool HasRoom
    {
        get
        {
            if (!_isFull)
            {
                return true;
            }

            lock (_lock)
            {
                if (time.GetElapsedTime(_triedAt) >= RetryInterval)
                {
                    SetAside_NeedsLock();
                }

                return !_isFull;
            }
        }
    }

    /// <summary>Says how far the file is written.</summary>
    public void Follow(SafeFileHandle file, long end)
    {
        lock (_lock)
        {
            (_file, _end) = (file, end);
            if (_until - end < Size / 2)
            {
                SetAside_NeedsLock();
            }
        }
    }

    /// <summary>
    /// Lets go of the file: blocks behind its end would stay with one that nobody writes to any more.
    /// </summary>
    /// <param name="givesBack">Whether nobody else may have written to it since.</param>
    public void Leave(bool givesBack)
    {
        lock (_lock)
        {
            if (givesBack && _until > _end && _file is { IsClosed: false } file)
            {
                NativeFile.TryTruncate(file, _end);
            }

            (_file, _until, _isFull) = (null, 0, false); // looked at with the next line
        }
    }

    private void SetAside_NeedsLock()
    {
        _triedAt = time.GetTimestamp();
        if (_file is { IsClosed: false } file)
        {
            _isFull = !NativeFile.TrySetAside(file, _end, Size);
            _until = _isFull ? _until : _end + Size;
        }
    }
}
