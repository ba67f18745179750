#pragma warning disable CA1416 // the gateway runs on Linux
using System.Globalization;
using Gateway.Foundation.Files;
using Microsoft.Win32.SafeHandles;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// The audit file: appended to, put away by size and age, and shared with the <c>gateway</c> command, which writes its
/// own lines next to a running gateway.
/// </summary>
/// <remarks>
/// A writer holds a lock on the file and looks first whether it is still the file of that name and whether
/// somebody else wrote to it: then the chain's end is read again. So every process goes on with the one chain, and a
/// file that logrotate moved away is let go of, with or without SIGHUP.
/// </remarks>
internal sealed class AuditFile : IAuditSink
{
    private readonly string _name; // as configured: possibly a link to the file
    private string _path;
    private readonly AuditFileOptions _options;
    private readonly TimeProvider _time;
    private readonly HashChain? _chain;
    private readonly AuditLines _lines;
    private SafeFileHandle? _handle;
    private FileStatus _identity;
    private long _end = -1; // how long the file was when this process left it
    private ChainPosition _position = ChainPosition.Start;
    private bool _isOurs; // whether the file's lines are tied together as ours are
    private DateTimeOffset _begunAt;
    private int _torn;
    private volatile bool _mustReopen;
    private readonly AuditSpace? _space;
    private DateTimeOffset _putAwayAgainAt;

    /// <param name="options">The file, its path filled in.</param>
    /// <param name="time">The clock.</param>
    /// <param name="setsAside">Whether lines are still to come for which there must be room; not for a command.</param>
    public AuditFile(AuditFileOptions options, TimeProvider time, bool setsAside = false)
    {
        (_name, _path, _options, _time) = (options.Path!, options.Path!, options, time);
        _space = setsAside ? new AuditSpace(time) : null;
        _chain = options.HashChain ? new HashChain(options.HashKey) : null;
        _lines = new AuditLines(_chain);
    }

    /// <summary>Raised when a file was put away: its new name, and where its chain ended.</summary>
    public event Action<string, ChainPosition>? Finished;

    /// <summary>Raised when no more is written: where the chain ended.</summary>
    public event Action<ChainPosition>? Closed;

    /// <summary>Raised when a file that is due could not be put away, and is written on: why.</summary>
    public event Action<string>? NotPutAway;

    /// <inheritdoc/>
    public string Name => "file";

    /// <inheritdoc/>
    public bool HasRoom => _space?.HasRoom ?? true;

    /// <inheritdoc/>
    public void Reopen() => _mustReopen = true;

    /// <inheritdoc/>
    public void Write(IReadOnlyList<AuditEntry> entries, bool durable)
    {
        var file = Take();
        try
        {
            if (IsDue())
            {
                file = PutAway(file);
            }

            _lines.Begin(_position);
            for (var i = 0; i < entries.Count; i++)
            {
                _lines.Add(entries[i], isFirstOfFile: i == 0 && _end == 0, torn: i == 0 ? _torn : 0);
            }

            Append(file, durable);
            _space?.Follow(file, _end);
        }
        finally
        {
            if (!file.IsClosed)
            {
                NativeFile.Unlock(file);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_handle is { IsClosed: false } file)
        {
            NativeFile.Lock(file);
            _space?.Leave(givesBack: IsStillCurrent() && RandomAccess.GetLength(file) == _end);
            file.Dispose();
        }

        _lines.Dispose();
        if (_chain is not null)
        {
            Closed?.Invoke(_position);
        }
    }

    private void Append(SafeFileHandle file, bool durable)
    {
        var isNew = _end == 0;
        try
        {
            if (_torn > 0)
            {
                NativeFile.Write(file, "\n"u8);
            }

            NativeFile.Write(file, _lines.Bytes.Span);
            if (durable)
            {
                NativeFile.Sync(file);
                if (isNew)
                {
                    DurableFolder.Sync(Path.GetDirectoryName(_path)!);
                }
            }
        }
        catch (IOException)
        {
            // Half a line must not stay, and the whole is tried again.
            if (!NativeFile.TryTruncate(file, _end))
            {
                _end = -1; // what is there now is looked at next time
            }

            throw;
        }

        _end += _lines.Bytes.Length + (_torn > 0 ? 1 : 0);
        if (isNew)
        {
            _begunAt = _time.GetUtcNow();
        }

        (_torn, _position, _isOurs) = (0, _lines.Position, true);
    }

    // The file of the name, locked by this process, with its end known.
    private SafeFileHandle Take()
    {
        if (_mustReopen)
        {
            _mustReopen = false;
            Close();
        }

        while (true)
        {
            var file = _handle ??= OpenCurrent();
            NativeFile.Lock(file);
            try
            {
                if (IsStillCurrent())
                {
                    var length = RandomAccess.GetLength(file);
                    if (length != _end)
                    {
                        ReadEnd(length);
                    }

                    return file;
                }
            }
            catch
            {
                NativeFile.Unlock(file);
                throw;
            }

            Close(); // moved away since: this lets go of its lock, too
        }
    }

    private SafeFileHandle OpenCurrent()
    {
        _path = AuditFileSet.Resolve(_name);
        DurableFolder.Create(
            Path.GetDirectoryName(_path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var file = NativeFile.OpenForAppend(_path);
        if (RandomAccess.GetLength(file) == 0 && File.Exists(_path))
        {
            FileOwner.TakeFromFolder(_path, Path.GetDirectoryName(_path)!); // a command that root ran made it
        }

        _end = -1;
        var own = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{file.DangerousGetHandle()}");
        return FileStatus.Read(own, out _identity) == 0
            ? file
            : throw new IOException("its state cannot be read: /proc is needed");
    }

    private bool IsStillCurrent() => FileStatus.Read(_name, out var status) == 0
        && status.Inode == _identity.Inode
        && status.DeviceMajor == _identity.DeviceMajor && status.DeviceMinor == _identity.DeviceMinor;

    private void ReadEnd(long length)
    {
        _torn = 0;
        if (length == 0)
        {
            // The chain goes on from the file that was put away, or from what this process knows to have been there.
            foreach (var finished in _options.HashChain ? AuditFileSet.Finished(_path).Reverse().Take(2) : [])
            {
                if (TryReadPosition(finished) is { } position && position.Sequence > _position.Sequence)
                {
                    _position = position;
                }
            }

            (_isOurs, _begunAt) = (true, _time.GetUtcNow());
        }
        else
        {
            var first = AuditFileSet.ReadFirst(_path);
            (_isOurs, _begunAt) = (first.Chain == _chain?.Algorithm, first.Time ?? _time.GetUtcNow());
            _position = AuditFileSet.PositionAtEnd(_path, out _torn) ?? _position;
        }

        _end = length;
    }

    // A finished file may be spoiled, such as one whose compression a crash cut off; that is for "verify" to say.
    private static ChainPosition? TryReadPosition(string finished)
    {
        try
        {
            return AuditFileSet.PositionAtEnd(finished, out _);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }

    // A file is one chain with one key from its first line on, or none at all: no line in its middle can claim to begin
    // one.
    private bool IsDue() => _end > 0 && (
        (_options.MaxSizeMiB > 0 && _end >= _options.MaxSizeMiB * 1024L * 1024)
        || (_options.MaxAge > TimeSpan.Zero && _time.GetUtcNow() - _begunAt >= _options.MaxAge)
        || !_isOurs)
        && _time.GetUtcNow() >= _putAwayAgainAt;

    private SafeFileHandle PutAway(SafeFileHandle old)
    {
        var name = AuditFileSet.FinishedName(_path, _time.GetUtcNow());
        SafeFileHandle next;
        try
        {
            NativeFile.Move(_path, name);
        }
        catch (IOException exception) when (_isOurs)
        {
            // A folder that may not be changed is no reason to serve nobody: the file grows, and is tried again.
            _putAwayAgainAt = _time.GetUtcNow() + TimeSpan.FromMinutes(1);
            NotPutAway?.Invoke(exception.Message);
            return old;
        }

        try
        {
            _space?.Leave(givesBack: true);
            _handle = null; // those who wait for the lock see that the name has gone, and opens the new file
            next = Take();
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new IOException("it cannot be rotated: " + exception.Message, exception);
        }
        finally
        {
            if (_handle != old)
            {
                old.Dispose();
            }
        }

        Finished?.Invoke(name, _position);
        if (_options.Keep > 0)
        {
            AuditFileSet.Trim(_path, _options.Keep);
        }

        return next;
    }

    private void Close()
    {
        _space?.Leave(givesBack: false);
        _handle?.Dispose();
        (_handle, _end) = (null, -1);
    }
}
