using System.Collections.Frozen;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Caching;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>Authorities and revocation lists in force: an immutable snapshot that certificates are judged by.</summary>
internal sealed class ClientCertificateTrust
{
    private const int Remembered = 10_000;

    private static readonly AuthenticationResult.Refused Revoked = new(
        "the client certificate behind it was revoked", "the client certificate that it was issued for was revoked");

    private static readonly AuthenticationResult.Refused NoLongerTrusted = new(
        "the authority of the client certificate behind it is no longer trusted",
        "the authority of the client certificate that it was issued for is no longer trusted here");

    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _rootKeys;

    /// <param name="roots">The authorities, which issued themselves.</param>
    /// <param name="intermediates">Those between them and the clients.</param>
    /// <param name="lists">Their revocation lists.</param>
    public ClientCertificateTrust(
        X509Certificate2Collection roots,
        X509Certificate2Collection intermediates,
        IReadOnlyList<SignedRevocationList> lists)
    {
        Roots = roots;
        Intermediates = intermediates;
        _rootKeys = roots.Select(CertificateLink.IdOfKey).ToFrozenSet(StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
        Lists = lists;
        Index = new RevocationIndex(lists.SelectMany(static entry => new[]
        {
            (CertificateLink.IdOfKey(entry.Authority), entry.List),
            (CertificateLink.IdOfName(entry.Authority.SubjectName.RawData), entry.List),
        }));
    }

    /// <summary>No certificate is accepted.</summary>
    public static ClientCertificateTrust None { get; } = new([], [], []);

    /// <summary>The authorities.</summary>
    public X509Certificate2Collection Roots { get; }

    /// <summary>Intermediates that clients need not send.</summary>
    public X509Certificate2Collection Intermediates { get; }

    /// <summary>The revocation lists, for records.</summary>
    public IReadOnlyList<SignedRevocationList> Lists { get; }

    /// <summary>The revocation lists, to ask.</summary>
    public RevocationIndex Index { get; }

    /// <summary>
    /// Certificates that were accepted by these files, by their thumbprint: clients open many connections, and policy
    /// works out the groups of a subject once for each instance.
    /// </summary>
    public BoundedCache<string, CertificateJudgement> Accepted { get; } = new(Remembered);

    /// <summary>What does not keep the files from being used, but keeps clients from signing in.</summary>
    public IEnumerable<Problem> Warnings(DateTimeOffset now)
    {
        foreach (var authority in Roots.Concat(Intermediates).Where(
            one => one.NotAfter - now < CertificateSet.ExpiryNotice))
        {
            yield return new Problem(
                "authentication.clientCertificates.certificateAuthorities",
                $"the authority \"{PrintableName.Of(authority.Subject)}\" "
                + (authority.NotAfter < now ? "has expired" : "expires soon"),
                $"{authority.NotAfter.ToUniversalTime():u}",
                "Add the renewed authority to the file: certificates of an expired authority are refused.");
        }

        foreach (var (authority, list, file) in Lists.Where(entry => entry.List.NextUpdate < now))
        {
            yield return new Problem(
                file,
                $"the revocation list of \"{PrintableName.Of(authority.Subject)}\" should have been replaced",
                $"{list.NextUpdate:u}",
                "Replace it with the new list, or remove it where there is another.");
        }
    }

    /// <summary>Why a token that was issued for a certificate is no longer good.</summary>
    /// <param name="evidence">The certificate's links, as <see cref="Evidence"/> wrote them.</param>
    public AuthenticationResult.Refused? FindFault(ReadOnlySpan<char> evidence)
    {
        var isRooted = false;
        foreach (var range in evidence.Split(','))
        {
            if (!CertificateLink.TryRead(evidence[range], out var issuerKey, out var issuerName, out var serial))
            {
                return NoLongerTrusted;
            }

            if (Index.IsRevoked(issuerKey, issuerName, serial))
            {
                return Revoked;
            }

            isRooted = _rootKeys.Contains(issuerKey); // the last one's
        }

        return isRooted ? null : NoLongerTrusted;
    }

    /// <summary>What a token must carry of a certificate, so that revoking the certificate revokes the token.</summary>
    public static string Evidence(IEnumerable<CertificateLink> links) => string.Join(',', links);
}
