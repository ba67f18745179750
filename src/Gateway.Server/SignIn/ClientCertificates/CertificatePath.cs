using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Text;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>A certificate's path to a trusted authority.</summary>
/// <param name="Links">From the certificate on; the last one's issuer is the authority.</param>
/// <param name="NotBefore">From when all of them are valid.</param>
/// <param name="NotAfter">Until when all of them are valid.</param>
internal sealed record CertificatePath(
    IReadOnlyList<CertificateLink> Links, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2"; // RFC 5280, section 4.2.1.12

    private const X509ChainStatusFlags NoWay = X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot;

    // sha1WithRSAEncryption, ecdsa-with-SHA1, md5WithRSAEncryption: anyone who finds a collision has a certificate.
    private static readonly string[] BrokenAlgorithms = [
        "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.2.840.113549.1.1.4",
    ];

    /// <summary>Finds it, without any request over the network.</summary>
    /// <param name="certificate">The client's.</param>
    /// <param name="others">What it sent with it.</param>
    /// <param name="trust">The authorities.</param>
    /// <param name="now">The current time.</param>
    /// <param name="fault">
    /// What is wrong, for the client's user; a client's own certificate is not a secret to it.
    /// </param>
    public static CertificatePath? Find(
        X509Certificate2 certificate,
        X509Certificate2Collection others,
        ClientCertificateTrust trust,
        DateTimeOffset now,
        out string fault)
    {
        // Nothing is fetched, since a stranger's certificate names the addresses; our own lists say what is revoked.
        var policy = TrustRoots.Policy(trust.Roots, trust.Intermediates.Concat(others));
        using var chain = new X509Chain { ChainPolicy = policy };
        policy.VerificationTime = now.UtcDateTime;
        policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        var isGood = chain.Build(certificate);
        try
        {
            X509Certificate2[] elements = [.. chain.ChainElements.Select(static element => element.Certificate)];
            fault = Describe(certificate, elements, chain.ChainStatus, isGood, now) ?? "";
            return fault.Length > 0 ? null : new CertificatePath(
                LinksOf(elements),
                elements.Max(static one => new DateTimeOffset(one.NotBefore)),
                elements.Min(static one => new DateTimeOffset(one.NotAfter)));
        }
        finally
        {
            foreach (var element in chain.ChainElements)
            {
                element.Certificate.Dispose();
            }
        }
    }

    private static List<CertificateLink> LinksOf(X509Certificate2[] elements)
    {
        var links = new List<CertificateLink>();
        for (var i = 0; i + 1 < elements.Length; i++)
        {
            links.Add(CertificateLink.Of(elements[i], elements[i + 1]));
        }

        // A certificate that is itself trusted is its own authority.
        return links.Count > 0 ? links : [CertificateLink.Of(elements[0], elements[0])];
    }

    // What helps most comes first: an unknown authority's certificate need not be renewed.
    private static string? Describe(
        X509Certificate2 certificate, X509Certificate2[] elements, X509ChainStatus[] statuses, bool isGood,
        DateTimeOffset now)
    {
        var flags = statuses.Aggregate(X509ChainStatusFlags.NoError, static (all, status) => all | status.Status);
        if ((flags & NoWay) != 0)
        {
            return "no authority that is trusted here issued it; its issuer is "
                + $"\"{PrintableName.Of(elements[^1].Issuer)}\", and the client must send any "
                + "intermediates along with it";
        }

        if ((flags & X509ChainStatusFlags.NotSignatureValid) != 0)
        {
            return "it is not signed by the trusted authority that it names";
        }

        if (Array.Find(elements, one => now < one.NotBefore || now > one.NotAfter) is { } outside)
        {
            var whose = ReferenceEquals(outside, elements[0])
                ? "it"
                : $"the certificate of its authority \"{PrintableName.Of(outside.Subject)}\"";
            return now < outside.NotBefore
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"{whose} is not valid before {outside.NotBefore.ToUniversalTime():u}")
                : string.Create(
                    CultureInfo.InvariantCulture, $"{whose} expired at {outside.NotAfter.ToUniversalTime():u}");
        }

        // Asked for by name: where the extension is missing, a server's certificate would do as well.
        if (!certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>()
            .SelectMany(static usage => usage.EnhancedKeyUsages.Cast<Oid>())
            .Any(static usage => usage.Value == ClientAuthentication))
        {
            return "it is not meant for clients (extended key usage clientAuth)";
        }

        if (certificate.Extensions.OfType<X509BasicConstraintsExtension>()
            .Any(static constraints => constraints.CertificateAuthority))
        {
            return "it is an authority's certificate, not a client's";
        }

        // Nothing relies on the signature of the last one, which is trusted as it is.
        if (Array.Exists(elements[..^1], static one => BrokenAlgorithms.Contains(one.SignatureAlgorithm.Value)))
        {
            return "it, or a certificate of its authorities, is signed with SHA-1 or MD5";
        }

        return isGood ? null : "its certificate chain is not valid (" + flags + ")";
    }
}
