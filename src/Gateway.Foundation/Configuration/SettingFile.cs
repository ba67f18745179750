using System.Buffers;
using System.Text;

namespace Gateway.Foundation.Configuration;

/// <summary>Reads a small text file that an operator named: UTF-8, up to a maximum size.</summary>
internal static class SettingFile
{
    private const int MiB = 1024 * 1024;

    private static readonly UTF8Encoding Strict =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file; it does not throw for errors of the file system.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">The maximum. The file's length is not trusted: a device has none and never ends.</param>
    /// <param name="fault">What is wrong; <see cref="FileFault.None"/> if nothing is.</param>
    /// <returns>The text without a byte order mark, or <see langword="null"/>.</returns>
    public static string? TryRead(string path, int maxBytes, out FileFault fault) =>
        TryRead(path, maxBytes, Decode, out fault);

    /// <summary>Reads a file and makes something of its bytes, which are gone afterwards.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">The maximum.</param>
    /// <param name="read">Makes the value; it may call <see cref="Decode"/>, whose exception is a fault here.</param>
    /// <param name="fault">What is wrong; <see cref="FileFault.None"/> if nothing is.</param>
    /// <inheritdoc cref="TryRead(string, int, out FileFault)"/>
    public static T? TryRead<T>(string path, int maxBytes, Func<ReadOnlySpan<byte>, T> read, out FileFault fault)
        where T : class
    {
        fault = FileFault.None;
        if (Directory.Exists(path))
        {
            fault = new FileFault("is a folder, not a file");
            return null;
        }

        var buffer = Array.Empty<byte>();
        try
        {
            using var stream = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var length = ReadAll(stream, maxBytes, ref buffer);
            if (length > maxBytes)
            {
                fault = new FileFault(
                    "is larger than " + (maxBytes % MiB == 0 ? $"{maxBytes / MiB} MiB" : $"{maxBytes / 1024} KiB"));
                return null;
            }

            return read(buffer.AsSpan(0, length));
        }
        catch (DecoderFallbackException)
        {
            fault = new FileFault("is not UTF-8 text");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            fault = new FileFault("no such file");
        }
        catch (UnauthorizedAccessException)
        {
            fault = new FileFault("cannot be read: permission denied", IsDenied: true);
        }
        catch (IOException)
        {
            fault = new FileFault("cannot be read: input/output error");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true); // it may have held a secret
        }

        return null;
    }

    /// <summary>The text of UTF-8 bytes, without a byte order mark.</summary>
    /// <exception cref="DecoderFallbackException">They are not UTF-8.</exception>
    public static string Decode(ReadOnlySpan<byte> bytes) =>
        Strict.GetString(bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes);

    // At most one byte more than the maximum. A buffer for the largest file is not taken at once: all of it would have
    // to be cleared, and would be in memory from then on.
    private static int ReadAll(FileStream stream, int maxBytes, ref byte[] buffer)
    {
        const int smallest = 4 * 1024;
        var hint = stream.CanSeek ? Math.Min(stream.Length, maxBytes) : 0;
        var length = 0;
        buffer = ArrayPool<byte>.Shared.Rent((int)Math.Max(hint + 1, Math.Min(smallest, maxBytes + 1)));
        while (length <= maxBytes)
        {
            if (length == buffer.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min((long)length * 2, maxBytes + 1L));
                buffer.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
                buffer = larger;
            }

            var read = stream.Read(buffer.AsSpan(length, Math.Min(buffer.Length, maxBytes + 1) - length));
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return length;
    }
}
