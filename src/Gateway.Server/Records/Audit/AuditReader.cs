using System.IO.Compression;

namespace Gateway.Server.Records.Audit;

/// <summary>Reads lines of audit files, of any content, in bounded memory.</summary>
internal static class AuditReader
{
    /// <summary>Longer than any line that is written. What is longer is cut: it is no audit line.</summary>
    public const int LongestLine = 256 * 1024;

    /// <summary>Opens a file that others write, rename and remove meanwhile; <c>.gz</c> is unpacked.</summary>
    public static Stream Open(string path)
    {
        var file = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024);
        return path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <summary>Reads from the stream's position to its present end.</summary>
    public static IEnumerable<AuditLine> ReadLines(Stream stream)
    {
        var buffer = new byte[64 * 1024];
        var line = new MemoryStream();
        var length = 0;
        int count;
        while ((count = stream.Read(buffer)) > 0)
        {
            var start = 0;
            while (Array.IndexOf(buffer, (byte)'\n', start, count - start) is var end and >= 0)
            {
                Append(end);
                yield return new AuditLine(line.ToArray(), length, IsComplete: true);
                line.SetLength(0);
                (start, length) = (end + 1, 0);
            }

            Append(count);

            void Append(int end)
            {
                line.Write(buffer, start, Math.Min(end - start, Math.Max(0, LongestLine - (int)line.Length)));
                length += end - start;
            }
        }

        if (length > 0)
        {
            yield return new AuditLine(line.ToArray(), length, IsComplete: false);
        }
    }
}

/// <summary>A line as it is in a file.</summary>
/// <param name="Bytes">Its bytes without the line break, cut at <see cref="AuditReader.LongestLine"/>.</param>
/// <param name="Length">How long it really is.</param>
/// <param name="IsComplete">Whether a line break ends it.</param>
internal sealed record AuditLine(byte[] Bytes, int Length, bool IsComplete);
