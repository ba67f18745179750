using System.Security.Cryptography;
using System.Text;
using Gateway.Foundation.Configuration;

namespace Gateway.Foundation.Certificates;

/// <summary>One encapsulated text of a PEM file.</summary>
/// <param name="Label">The label after <c>BEGIN</c>: <c>CERTIFICATE</c>, <c>PRIVATE KEY</c>.</param>
/// <param name="Line">The line of its <c>BEGIN</c>, from 1.</param>
/// <param name="Content">The decoded bytes.</param>
internal sealed record PemBlock(string Label, int Line, byte[] Content);

/// <summary>The blocks of one PEM file, with their lines.</summary>
/// <remarks>RFC 7468. Text around the blocks is allowed, as openssl writes it.</remarks>
internal sealed class PemFile
{
    // Certificate files have a few kilobytes; a wrong path may name anything.
    private const int LargestFile = 1 << 20;
    private const string Begin = "-----BEGIN ";

    private PemFile(string path, IReadOnlyList<PemBlock> blocks)
    {
        Path = path;
        Blocks = blocks;
    }

    public string Path { get; }

    public IReadOnlyList<PemBlock> Blocks { get; }

    /// <summary>The position of a block, as in problems: <c>certs/tls.crt:28</c>.</summary>
    public string At(PemBlock block) => $"{Path}:{block.Line}";

    /// <summary>Reads a file, or adds what is wrong with it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="setting">The setting that names it, for messages.</param>
    /// <param name="problems">Where problems go.</param>
    /// <returns><see langword="null"/> where a problem was added.</returns>
    public static PemFile? Read(string path, string setting, List<Problem> problems)
    {
        var blocks = new List<PemBlock>();
        var problem = ReadText(path, setting, out var text) ?? Parse(path, setting, text, blocks);
        if (problem is null)
        {
            return new PemFile(path, blocks);
        }

        problems.Add(problem);
        return null;
    }

    private static Problem? ReadText(string path, string setting, out string text)
    {
        text = "";
        try
        {
            using var file = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[LargestFile + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            text = Encoding.Latin1.GetString(bytes, 0, length); // PEM is ASCII; anything else must not fail here
            CryptographicOperations.ZeroMemory(bytes);
            return length <= LargestFile
                ? null
                : new Problem(path, $"{setting}: the file is larger than 1 MiB", null, "Name a PEM file here.");
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return new Problem(
                path, $"{setting}: no such file", path,
                "Put the file there or correct the path, which is relative to the configuration file's folder.");
        }
        catch (UnauthorizedAccessException) when (Directory.Exists(path))
        {
            return new Problem(path, $"{setting}: this is a folder", path, "Name the PEM file in it.");
        }
        catch (UnauthorizedAccessException)
        {
            return new Problem(
                path, $"{setting}: the gateway may not read the file", path,
                $"Let its user (\"{Environment.UserName}\") read it, for example with chown or setfacl.");
        }
        catch (IOException exception)
        {
            return new Problem(
                path, $"{setting}: reading failed: {exception.Message}", path, "Check the disk or mount.");
        }
    }

    private static Problem? Parse(string path, string setting, string text, List<PemBlock> found)
    {
        var rest = 0;
        while (PemEncoding.TryFind(text.AsSpan(rest), out var fields))
        {
            var start = rest + fields.Location.Start.Value;
            if (text.AsSpan(rest, start - rest).Contains(Begin, StringComparison.Ordinal))
            {
                break; // there is a broken block before this one
            }

            var content = new byte[fields.DecodedDataLength];
            Convert.TryFromBase64Chars(text.AsSpan(rest)[fields.Base64Data], content, out _);
            found.Add(new PemBlock(text.AsSpan(rest)[fields.Label].ToString(), LineOf(text, start), content));
            rest += fields.Location.End.Value;
        }

        var broken = text.IndexOf(Begin, rest, StringComparison.Ordinal);
        if (broken >= 0)
        {
            return text.AsSpan(broken).Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal)
                ? Encrypted(path, LineOf(text, broken), setting)
                : new Problem(
                    $"{path}:{LineOf(text, broken)}", $"{setting}: the PEM block that begins here is broken or cut off",
                    null, "Write the complete file again.");
        }

        if (string.IsNullOrWhiteSpace(text))
        {
            return new Problem(path, $"{setting}: the file is empty", null, "Write the complete file again.");
        }

        return found.Count > 0
            ? null
            : new Problem(
                path, $"{setting}: the file is not PEM", null,
                "Name a text file with -----BEGIN … lines; convert DER with openssl x509 or openssl pkey (-inform "
                + "DER), and PKCS#12 with openssl pkcs12 -nodes.");
    }

    /// <summary>The problem of a key that needs a password.</summary>
    public static Problem Encrypted(string path, int line, string setting) => new(
        $"{path}:{line}", $"{setting}: the private key is encrypted", null,
        "The gateway has no password for it: decrypt it with openssl pkey -in KEY -out NEWKEY, readable only by "
        + "the gateway (mode 0600).");

    private static int LineOf(string text, int position) => 1 + text.AsSpan(0, position).Count('\n');
}
