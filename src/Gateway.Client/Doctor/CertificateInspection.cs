using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Certificates;

namespace Gateway.Client.Doctor;

/// <summary>
/// Judges a server's certificate and the chain sent with it, as clients do: from a file or from a handshake.
/// </summary>
internal static class CertificateInspection
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1"; // RFC 5280, section 4.2.1.12
    private const string AnyPurpose = "2.5.29.37.0";

    // sha1WithRSAEncryption, ecdsa-with-SHA1, md5WithRSAEncryption
    private static readonly string[] BrokenSignatures = [
        "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.2.840.113549.1.1.4",
    ];

    /// <summary>Checks everything except trust.</summary>
    /// <param name="diagnosis">Where findings go.</param>
    /// <param name="subject">The file, or the address that presented it.</param>
    /// <param name="chain">The certificate first, then the others in their order; at least one.</param>
    /// <param name="host">The name or address that clients use; <see langword="null"/>: any.</param>
    /// <param name="now">The time.</param>
    public static void Inspect(
        Diagnosis diagnosis, string subject, IReadOnlyList<X509Certificate2> chain, string? host, DateTimeOffset now)
    {
        var leaf = chain[0];
        InspectTimes(diagnosis, subject, chain, now);
        var hasNames = HasNames(leaf);
        if (!hasNames)
        {
            diagnosis.Error("TLS010", subject, $"{leaf.Subject} has no subject alternative name");
        }
        else if (host is not null && !leaf.MatchesHostname(host, allowWildcards: true, allowCommonName: false))
        {
            diagnosis.Error("TLS006", subject, $"it is for {string.Join(", ", NamesOf(leaf))}, but clients use {host}");
        }

        using var rsa = leaf.GetRSAPublicKey();
        if (rsa is { KeySize: < 2048 })
        {
            diagnosis.Error("TLS008", subject, string.Create(CultureInfo.InvariantCulture, $"RSA, {rsa.KeySize} bits"));
        }

        if (chain.FirstOrDefault(
            static one => one.Subject != one.Issuer
                && BrokenSignatures.Contains(one.SignatureAlgorithm.Value)) is { } weak)
        {
            diagnosis.Error("TLS009", subject, $"{weak.Subject} is signed with {weak.SignatureAlgorithm.FriendlyName}");
        }

        if (!IsForServers(leaf))
        {
            diagnosis.Error("TLS014", subject, "its extended key usage lacks serverAuth");
        }

        InspectOrder(diagnosis, subject, chain);
    }

    /// <summary>Whether the chain leads to one of the authorities, without fetching anything.</summary>
    /// <param name="chain">As sent.</param>
    /// <param name="authorities">Those to trust; <see langword="null"/>: the system's.</param>
    /// <param name="now">The time; faults of validity are reported elsewhere.</param>
    /// <param name="isPartial">Whether an intermediate is missing, rather than the authority unknown.</param>
    public static bool LeadsToAuthority(
        IReadOnlyList<X509Certificate2> chain, X509Certificate2Collection? authorities, DateTimeOffset now,
        out bool isPartial)
    {
        // Nothing is fetched: docker fetches none either.
        using var built = new X509Chain { ChainPolicy = TrustRoots.Policy(authorities, chain.Skip(1)) };
        built.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        built.ChainPolicy.VerificationTime = now.UtcDateTime;
        var isTrusted = built.Build(chain[0]);
        isPartial = !isTrusted
            && built.ChainStatus.Any(static status => status.Status.HasFlag(X509ChainStatusFlags.PartialChain));
        return isTrusted;
    }

    /// <summary>
    /// Whether a password may be sent to the server that presents this chain: it is for the host, valid now, for
    /// servers, and from one of the authorities.
    /// </summary>
    /// <param name="chain">As sent.</param>
    /// <param name="host">The host that it must be for.</param>
    /// <param name="authorities">
    /// Sets of authorities, of which one is enough; <see langword="null"/>: the system's.
    /// </param>
    /// <param name="now">The time.</param>
    public static bool IsFit(
        IReadOnlyList<X509Certificate2> chain, string host, IEnumerable<X509Certificate2Collection?> authorities,
        DateTimeOffset now)
    {
        if (chain is not [var leaf, ..])
        {
            return false;
        }

        try
        {
            return leaf.MatchesHostname(host, allowWildcards: true, allowCommonName: false)
                && leaf.NotBefore.ToUniversalTime() <= now && now < leaf.NotAfter.ToUniversalTime()
                && IsForServers(leaf)
                && authorities.Any(one => LeadsToAuthority(chain, one, now, out _));
        }
        catch (CryptographicException)
        {
            return false; // malformed names
        }
    }

    /// <summary>Whether a certificate signed itself.</summary>
    public static bool IsSelfIssued(X509Certificate2 certificate) =>
        certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    /// <summary>The names and addresses that it is for.</summary>
    public static IReadOnlyList<string> NamesOf(X509Certificate2 certificate) =>
    [
        .. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(static extension =>
            extension.EnumerateDnsNames().Concat(
                extension.EnumerateIPAddresses().Select(static address => address.ToString()))),
    ];

    private static bool HasNames(X509Certificate2 certificate) => NamesOf(certificate).Count > 0;

    private static bool IsForServers(X509Certificate2 certificate)
    {
        var usages = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>()
            .SelectMany(static extension => extension.EnhancedKeyUsages.Cast<Oid>())
            .Select(static usage => usage.Value)
            .ToList();
        return usages.Count == 0 || usages.Contains(ServerAuthentication) || usages.Contains(AnyPurpose);
    }

    private static void InspectTimes(
        Diagnosis diagnosis, string subject, IReadOnlyList<X509Certificate2> chain, DateTimeOffset now)
    {
        foreach (var certificate in chain)
        {
            DateTimeOffset begin = certificate.NotBefore.ToUniversalTime(), end =
                certificate.NotAfter.ToUniversalTime();
            if (end <= now)
            {
                diagnosis.Error(
                    "TLS001", subject,
                    $"{certificate.Subject} expired {DoctorText.At(end)}, {DoctorText.Span(now - end)} ago");
                return;
            }

            if (begin > now)
            {
                diagnosis.Error(
                    "TLS002", subject, $"{certificate.Subject} is valid from {DoctorText.At(begin)}, in "
                        + $"{DoctorText.Span(begin - now)}; this machine's clock says {DoctorText.At(now)}");
                return;
            }
        }

        // What expires soon comes after that, so that it does not hide a certificate that has expired.
        foreach (var certificate in chain)
        {
            DateTimeOffset begin = certificate.NotBefore.ToUniversalTime(), end =
                certificate.NotAfter.ToUniversalTime();

            if (CertificateExpiry.IsNear(begin, end, now))
            {
                diagnosis.Warn(
                    "TLS003", subject,
                    $"{certificate.Subject} expires {DoctorText.At(end)}, in {DoctorText.Span(end - now)}");
                return;
            }
        }
    }

    private static void InspectOrder(Diagnosis diagnosis, string subject, IReadOnlyList<X509Certificate2> chain)
    {
        for (var i = 1; i < chain.Count; i++)
        {
            if (!chain[i].SubjectName.RawData.AsSpan().SequenceEqual(chain[i - 1].IssuerName.RawData))
            {
                diagnosis.Warn(
                    "TLS005", subject,
                    $"certificate {i + 1} ({chain[i].Subject}) did not issue the one before it "
                        + $"({chain[i - 1].Subject})");
                return;
            }
        }
    }
}
