using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Configuration;

namespace Gateway.Foundation.Certificates;

/// <summary>Authorities that are trusted instead of the system's, or in addition to them.</summary>
internal static class TrustRoots
{
    /// <summary>Reads the PEM file of a setting.</summary>
    /// <param name="path">The file.</param>
    /// <param name="setting">The setting that names it: <c>redis.certificateAuthority</c>.</param>
    /// <exception cref="ProblemException">It cannot be read or holds no certificate.</exception>
    public static X509Certificate2Collection Load(string path, string setting)
    {
        if (!TryRead(path, out var roots, out var fault))
        {
            throw new ProblemException(new Problem(
                path, $"{setting}: the file cannot be read", fault, "Name an existing PEM file."));
        }

        return roots.Count > 0
            ? roots
            : throw new ProblemException(new Problem(
                path, $"{setting}: the file holds no certificate", null,
                "Put the authority's certificate there in PEM form (-----BEGIN CERTIFICATE-----)."));
    }

    /// <summary>Reads a PEM file, which may hold no certificate at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="roots">Its certificates.</param>
    /// <param name="fault">Why it cannot be read.</param>
    public static bool TryRead(
        string path, out X509Certificate2Collection roots, [NotNullWhen(false)] out string? fault)
    {
        roots = [];
        fault = null;
        try
        {
            roots.ImportFromPemFile(path);
            return true;
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            fault = exception.Message;
            return false;
        }
    }

    /// <summary>
    /// How a chain is built: without fetching anything from addresses in certificates, and without revocation lists.
    /// </summary>
    /// <param name="roots">The only authorities to trust; <see langword="null"/>: the system's authorities.</param>
    /// <param name="sent">The certificates that were sent with it, used as intermediates.</param>
    public static X509ChainPolicy Policy(X509Certificate2Collection? roots, IEnumerable<X509Certificate2>? sent = null)
    {
        var policy = new X509ChainPolicy
        {
            RevocationMode = X509RevocationMode.NoCheck, // a private authority seldom publishes a list
            DisableCertificateDownloads = true,
        };
        if (roots is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(roots);
        }

        foreach (var one in sent ?? [])
        {
            policy.ExtraStore.Add(one);
        }

        return policy;
    }
}
