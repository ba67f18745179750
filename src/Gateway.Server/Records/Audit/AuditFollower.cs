using Gateway.Foundation.Files;

namespace Gateway.Server.Records.Audit;

/// <summary>Reads lines as they are written, also after the file was put away and a new one begun.</summary>
internal sealed class AuditFollower : IDisposable
{
    private readonly string _path;
    private readonly MemoryStream _rest = new();
    private Stream? _file;
    private FileStatus _identity;

    /// <param name="path">The current file; it need not be there yet.</param>
    public AuditFollower(string path)
    {
        _path = path;
        TryOpen();
    }

    /// <summary>What was written since the last call, whole lines only.</summary>
    public IEnumerable<byte[]> ReadNew()
    {
        // To the end of the file at hand first: what went there before it was put away comes before the new one's
        // lines.
        foreach (var line in ReadFile())
        {
            yield return line;
        }

        if (FileStatus.Read(_path, out var status) == 0 && (_file is null || status.Inode != _identity.Inode
            || status.DeviceMajor != _identity.DeviceMajor || status.DeviceMinor != _identity.DeviceMinor))
        {
            foreach (var line in ReadFile()) // written between the last reading and the change of the name
            {
                yield return line;
            }

            TryOpen();
            foreach (var line in ReadFile())
            {
                yield return line;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        _rest.Dispose();
    }

    private void TryOpen()
    {
        _file?.Dispose();
        _rest.SetLength(0);
        try
        {
            _file = AuditReader.Open(_path);
            _ = FileStatus.Read(_path, out _identity);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            _file = null;
        }
    }

    private IEnumerable<byte[]> ReadFile()
    {
        if (_file is null)
        {
            yield break;
        }

        foreach (var line in AuditReader.ReadLines(_file))
        {
            _rest.Write(line.Bytes);
            if (line.IsComplete)
            {
                yield return _rest.ToArray();
                _rest.SetLength(0);
            }
        }
    }
}
