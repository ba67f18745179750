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
    public static string? TryRead(string path, int maxBytes, out FileFault fault)
    {
        fault = FileFault.None;
        if (Directory.Exists(path))
        {
            fault = new FileFault("is a folder, not a file");
            return null;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(maxBytes + 1);
        try
        {
            using var stream = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var length = stream.ReadAtLeast(buffer.AsSpan(0, maxBytes + 1), maxBytes + 1, throwOnEndOfStream: false);
            if (length > maxBytes)
            {
                fault = new FileFault(
                    "is larger than " + (maxBytes % MiB == 0 ? $"{maxBytes / MiB} MiB" : $"{maxBytes / 1024} KiB"));
                return null;
            }

            var bytes = buffer.AsSpan(0, length);
            return Strict.GetString(bytes.StartsWith(Encoding.UTF8.Preamble) ? bytes[3..] : bytes);
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
}
