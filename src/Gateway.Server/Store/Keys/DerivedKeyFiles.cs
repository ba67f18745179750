#pragma warning disable CA1416 // the gateway runs on Linux
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Foundation.Files;

namespace Gateway.Server.Store.Keys;

/// <summary>
/// What operators hand to a registry that verifies tokens itself: <c>bundle.crt</c> with the certificates of all keys
/// (<c>rootcertbundle</c>, Distribution 2.8 and 3), and <c>jwks.json</c> (<c>jwks</c>, Distribution 3).
/// </summary>
internal sealed class DerivedKeyFiles(string folder)
{
    /// <summary>The names of the files.</summary>
    public static readonly FrozenSet<string> Names =
        FrozenSet.Create(StringComparer.Ordinal, "bundle.crt", "jwks.json");

    private const UnixFileMode Public = UnixFileMode.UserRead | UnixFileMode.UserWrite
        | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private string Bundle => Path.Combine(folder, "bundle.crt");

    private string JwkSet => Path.Combine(folder, "jwks.json");

    /// <summary>Whether the files are those of the keys.</summary>
    public bool AreCurrent(IReadOnlyList<SigningKey> keys)
    {
        if (ReadOrNull(JwkSet) is not { } set || !set.AsSpan().SequenceEqual(JsonWebKeySet.Write(keys)))
        {
            return false;
        }

        var found = ReadCertificates();
        return found.Count == keys.Count && keys.All(key => found.ContainsKey(key.Id));
    }

    /// <summary>Writes the files. Certificates there are kept: each new one differs, as signatures do.</summary>
    public void Write(IReadOnlyList<SigningKey> keys)
    {
        var found = ReadCertificates();
        var bundle = new StringBuilder();
        foreach (var key in keys)
        {
            var certificate = found.GetValueOrDefault(key.Id) ?? SigningKeyCertificate.Create(key);
            bundle.Append(key.Id).Append(' ').Append(key.Algorithm).Append('\n').Append(certificate).Append('\n');
        }

        AtomicFile.ReplaceInFolder(Bundle, Encoding.ASCII.GetBytes(bundle.ToString()), Public);
        AtomicFile.ReplaceInFolder(JwkSet, JsonWebKeySet.Write(keys), Public);
    }

    private static byte[]? ReadOrNull(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null; // written anew
        }
    }

    private Dictionary<string, string> ReadCertificates()
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        var text = Encoding.Latin1.GetString(ReadOrNull(Bundle) ?? []);
        for (var rest = 0; PemEncoding.TryFind(text.AsSpan(rest), out var fields); rest += fields.Location.End.Value)
        {
            var pem = text.AsSpan(rest)[fields.Location].ToString();
            try
            {
                using var certificate = X509Certificate2.CreateFromPem(pem);
                found[SigningKey.IdOf(certificate.PublicKey.ExportSubjectPublicKeyInfo())] = pem;
            }
            catch (CryptographicException)
            {
                // not a certificate: it is not kept
            }
        }

        return found;
    }
}
