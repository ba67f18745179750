using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>Reads authorities and revocation lists, and reports everything that is wrong with them.</summary>
internal sealed class ClientCertificateTrustReader(ClientCertificateOptions options)
{
    private const int LargestList = 64 << 20;
    private const string ListLabel = "X509 CRL";
    private const string Begin = "-----BEGIN ";
    private const string Setting = "authentication.clientCertificates.certificateAuthorities";

    private readonly List<Problem> _problems = [];

    /// <summary>Reads the files, or nothing where the section is missing.</summary>
    /// <param name="options">The section.</param>
    /// <param name="inForce">What is replaced; <see langword="null"/> at a start.</param>
    /// <exception cref="ProblemException">A file is missing or wrong, or lacks a list that is in force.</exception>
    public static ClientCertificateTrust Load(
        ClientCertificateOptions? options, ClientCertificateTrust? inForce = null) =>
        options is null ? ClientCertificateTrust.None : new ClientCertificateTrustReader(options).Read(inForce);

    private ClientCertificateTrust Read(ClientCertificateTrust? inForce)
    {
        X509Certificate2Collection roots = [], intermediates = [];
        ReadAuthorities(roots, intermediates);
        var lists = new List<SignedRevocationList>();
        if (_problems.Count == 0)
        {
            X509Certificate2[] authorities = [.. roots, .. intermediates];
            for (var i = 0; i < options.RevocationLists.Count; i++)
            {
                ReadLists(
                    options.RevocationLists[i],
                    $"authentication.clientCertificates.revocationLists[{i}]",
                    authorities,
                    lists);
            }

            CheckNoneIsGone(inForce, authorities, lists);
        }

        return _problems.Count == 0
            ? new ClientCertificateTrust(roots, intermediates, lists)
            : throw new ProblemException(_problems);
    }

    // Files hold several lists, and end anywhere while they are written. An authority that is still trusted and whose
    // list is missing would no longer revoke anything. A list of its name will do: that is how it continues with a new
    // key.
    private void CheckNoneIsGone(
        ClientCertificateTrust? inForce, X509Certificate2[] authorities, List<SignedRevocationList> lists)
    {
        foreach (var gone in (inForce?.Lists ?? []).DistinctBy(static entry => entry.Authority.Thumbprint).Where(old =>
            authorities.Any(one => one.RawDataMemory.Span.SequenceEqual(old.Authority.RawDataMemory.Span))
            && !lists.Exists(
                one => one.Authority.SubjectName.RawData.AsSpan().SequenceEqual(old.Authority.SubjectName.RawData))))
        {
            Refuse(gone.File, "authentication.clientCertificates.revocationLists",
                "the list of a trusted authority is missing",
                gone.Authority.Subject,
                "Write the complete list again; if the authority no longer has one, restart the gateway.");
        }
    }

    private void ReadAuthorities(X509Certificate2Collection roots, X509Certificate2Collection intermediates)
    {
        if (PemFile.Read(options.CertificateAuthorities, Setting, _problems) is not { } file)
        {
            return;
        }

        foreach (var block in file.Blocks.Where(static block => block.Label == "CERTIFICATE"))
        {
            try
            {
                var certificate = X509CertificateLoader.LoadCertificate(block.Content);
                var isRoot = certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
                (isRoot ? roots : intermediates).Add(certificate);
            }
            catch (CryptographicException)
            {
                _problems.Add(new Problem(
                    file.At(block), $"{Setting}: the block that begins here is not a certificate", null,
                    "Write the complete file again."));
            }
        }

        if (roots.Count == 0 && _problems.Count == 0)
        {
            _problems.Add(new Problem(
                file.Path,
                intermediates.Count == 0
                    ? $"{Setting}: there is no certificate in the file"
                    : $"{Setting}: the file holds intermediates only, and no root that issued itself",
                intermediates.Count == 0 ? null : intermediates[0].Subject,
                "Put the certificate of the root authority there in PEM form (-----BEGIN CERTIFICATE-----)."));
        }
    }

    private void ReadLists(
        string path, string setting, X509Certificate2[] authorities, List<SignedRevocationList> lists)
    {
        var blocks = ReadBlocks(path, setting);
        foreach (var block in blocks)
        {
            try
            {
                Check(RevocationList.Read(block), path, setting, authorities, lists);
            }
            catch (Exception exception) when (exception is AsnContentException or CryptographicException)
            {
                Refuse(path, setting, "the file is not a revocation list", null,
                    "Write the complete list again, as PEM or DER.");
            }
        }
    }

    private void Check(
        RevocationList list, string path, string setting, X509Certificate2[] authorities,
        List<SignedRevocationList> lists)
    {
        var issuer = new X500DistinguishedName(list.IssuerName).Name;
        var named = Array.FindAll(authorities, one => one.SubjectName.RawData.AsSpan().SequenceEqual(list.IssuerName));
        if (named.Length == 0)
        {
            Refuse(path, setting, "the list belongs to an authority that is not trusted", issuer,
                $"Add its certificate to {options.CertificateAuthorities}, or remove the list.");
        }
        else if (Array.Find(named, one => MaySignLists(one) && list.IsSignedBy(one)) is not { } authority)
        {
            Refuse(path, setting, "the list is not signed by its authority, or not in an accepted way", issuer,
                "Get it from the authority again; it must be signed with SHA-2 and RSA (PKCS#1) or ECDSA, by a "
                + "certificate that may sign lists.");
        }
        else if (list.HasCriticalExtension)
        {
            Refuse(path, setting, "the list is a partial, delta or indirect one", issuer,
                "Use the authority's complete list.");
        }
        else if (list.NextUpdate is null)
        {
            Refuse(path, setting, "the list does not say when its next update is due", issuer,
                "Have it issued with a next update; without one the gateway cannot tell whether it is outdated.");
        }
        else
        {
            lists.Add(new SignedRevocationList(authority, list, path));
        }
    }

    // RFC 5280, section 6.3.3 (f).
    private static bool MaySignLists(X509Certificate2 authority) =>
        authority.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is not { } usage
        || usage.KeyUsages.HasFlag(X509KeyUsageFlags.CrlSign);

    private List<byte[]> ReadBlocks(string path, string setting)
    {
        try
        {
            using var file = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > LargestList)
            {
                Refuse(path, setting, "the file is larger than 64 MiB", null, "Name a revocation list here.");
                return [];
            }

            var content = new byte[file.Length];
            file.ReadExactly(content);
            if (content is [0x30, ..])
            {
                return [content]; // DER
            }

            var text = Encoding.Latin1.GetString(content).AsSpan();
            var blocks = new List<byte[]>();
            while (PemEncoding.TryFind(text, out var fields))
            {
                if (text[..fields.Location.Start].Contains(Begin, StringComparison.Ordinal))
                {
                    break; // a broken block comes before this one
                }

                if (text[fields.Label] is ListLabel)
                {
                    var block = new byte[fields.DecodedDataLength];
                    Convert.TryFromBase64Chars(text[fields.Base64Data], block, out _);
                    blocks.Add(block);
                }

                text = text[fields.Location.End..];
            }

            if (text.Contains(Begin, StringComparison.Ordinal))
            {
                Refuse(path, setting, "a PEM block of the file is broken or cut off", null,
                    "Write the complete file again.");
                return [];
            }

            if (blocks.Count == 0)
            {
                Refuse(path, setting, "there is no revocation list in the file", null,
                    "Name a file with -----BEGIN X509 CRL-----, or one in DER form.");
            }

            return blocks;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Refuse(path, setting, "the file cannot be read", exception.Message,
                "Make the list readable by the gateway.");
            return [];
        }
    }

    private void Refuse(string path, string setting, string what, string? found, string fix) =>
        _problems.Add(new Problem(path, $"{setting}: {what}", found, fix));
}
