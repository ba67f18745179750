using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Text;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Tls;

/// <summary>All certificates in force: an immutable snapshot that a handshake picks from by the client's SNI.</summary>
internal sealed class CertificateSet
{
    /// <summary>How long before a certificate expires the gateway warns.</summary>
    public static readonly TimeSpan ExpiryNotice = TimeSpan.FromDays(30);

    private static readonly IdnMapping Idn = new() { AllowUnassigned = true };
    private readonly CertificatePair[] _pairs;
    private readonly FrozenDictionary<string, Choice> _exact;
    private readonly FrozenDictionary<string, Choice>.AlternateLookup<ReadOnlySpan<char>> _wildcard;
    private readonly Choice _default;

    private CertificateSet(CertificatePair[] pairs, List<Problem> warnings, Uri? publicUrl)
    {
        _pairs = pairs;
        _exact = Index(static name => name.StartsWith("*.", StringComparison.Ordinal) ? null : name);
        // "*.example.com" is kept under "example.com".
        _wildcard = Index(static name => name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : null)
            .GetAlternateLookup<ReadOnlySpan<char>>();
        _default = new Choice(pairs[0], pairs.FirstOrDefault(pair => !pair.IsEcdsa
            && pair.Served.Names.Intersect(pairs[0].Served.Names, StringComparer.OrdinalIgnoreCase).Any()));
        HasBothKinds = _exact.Values.Concat(_wildcard.Dictionary.Values).Append(_default).Any(
            static choice => choice is { Preferred.IsEcdsa: true, Rsa: not null });
        Certificates = [.. pairs.Select(static pair => pair.Served)];
        if (publicUrl is not null && !TrySelect(publicUrl.IdnHost.Trim('[', ']'), out _))
        {
            warnings.Add(new Problem(
                pairs[0].Served.File,
                "publicUrl: no certificate covers its host, so clients refuse the connection",
                publicUrl.Host,
                $"Add a certificate for it, or correct publicUrl; the certificates are for {Covered()}."));
        }

        Warnings = warnings;
    }

    /// <summary>What is known of each certificate, in the order of the configuration.</summary>
    public IReadOnlyList<ServedCertificate> Certificates { get; }

    /// <summary>What does not keep the pairs from being served, but makes clients refuse them; expiry apart.</summary>
    public IReadOnlyList<Problem> Warnings { get; }

    /// <summary>Whether some name has an ECDSA and an RSA pair, so that it matters what a client verifies.</summary>
    public bool HasBothKinds { get; }

    /// <summary>Reads every configured pair.</summary>
    /// <param name="options">The settings, their paths absolute.</param>
    /// <param name="publicUrl">The URL that clients use; its host must be covered.</param>
    /// <param name="now">The present.</param>
    /// <param name="inForce">The set that is replaced; <see langword="null"/> at the start.</param>
    /// <exception cref="ProblemException">A pair cannot be used, or is worse than the one in force.</exception>
    public static CertificateSet Load(
        TlsOptions options, Uri? publicUrl, DateTimeOffset now, CertificateSet? inForce = null)
    {
        var problems = new List<Problem>();
        var warnings = new List<Problem>();
        var pairs = new List<CertificatePair>();
        for (var i = 0; i < options.Certificates.Count; i++)
        {
            var setting = $"tls.certificates[{i}]";
            if (new CertificatePairReader(options.Certificates[i], setting, problems, warnings).Read() is { } pair)
            {
                // At the start an expired certificate is served and warned of: not to start would turn a warning in
                // clients into an outage, of health and metrics too. But it never replaces one that is valid.
                if (inForce?._pairs.ElementAtOrDefault(i) is { } old
                    && old.Served.IsValidAt(now) && !pair.Served.IsValidAt(now))
                {
                    problems.Add(Validity(pair.Served, now)! with
                    {
                        Fix = "Replace it with a valid one; the certificate in force is still valid.",
                    });
                }

                pairs.Add(pair);
            }
        }

        if (options.Certificates.Count == 0)
        {
            problems.Add(new Problem(
                "tls.certificates", "there is no certificate", null,
                "Name at least one certificate and its key; gateway dev-cert creates a pair for testing."));
        }

        return problems.Count == 0
            ? new CertificateSet([.. pairs], warnings, publicUrl)
            : throw new ProblemException(problems);
    }

    /// <summary>The pair for a client.</summary>
    /// <param name="serverName">The client's SNI; untrusted, and empty where it sent none.</param>
    /// <param name="verifiesEcdsa">Whether the client can verify ECDSA signatures.</param>
    /// <returns>
    /// An exact match before a wildcard, else the first configured pair. For a name with both kinds of keys the ECDSA
    /// one, whose handshakes are cheaper; the RSA one for a client that verifies nothing else.
    /// </returns>
    public CertificatePair Select(string? serverName, bool verifiesEcdsa = true)
    {
        var choice = !string.IsNullOrEmpty(serverName) && TrySelect(serverName, out var named) ? named : _default;
        return verifiesEcdsa ? choice.Preferred : choice.Rsa ?? choice.Preferred;
    }

    /// <summary>Those that are expired, not yet valid, or have less than <see cref="ExpiryNotice"/> left.</summary>
    public IEnumerable<Problem> ExpiryWarnings(DateTimeOffset now) =>
        Certificates.Select(certificate => Validity(certificate, now)).OfType<Problem>();

    private static Problem? Validity(ServedCertificate certificate, DateTimeOffset now)
    {
        var name = certificate.DisplayName;
        var left = certificate.NotAfter - now;
        if (now < certificate.NotBefore)
        {
            return new Problem(
                certificate.File, $"the certificate of {name} is not valid yet", $"{certificate.NotBefore:u}",
                "Clients refuse it until then. Check this machine's clock.");
        }

        return left switch
        {
            _ when left < TimeSpan.Zero => new Problem(
                certificate.File, $"the certificate of {name} has expired", $"{certificate.NotAfter:u}",
                "Clients refuse it. Renew it; the new files are served without a restart."),
            _ when left < ExpiryNotice => new Problem(
                certificate.File, $"the certificate of {name} expires in {(int)left.TotalDays} days",
                $"{certificate.NotAfter:u}",
                "Renew it; the new files are served without a restart."),
            _ => null,
        };
    }

    private bool TrySelect(string name, out Choice choice)
    {
        if (_exact.TryGetValue(name, out choice))
        {
            return true;
        }

        // A wildcard matches exactly one label (RFC 9525, section 6.3).
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && _wildcard.TryGetValue(name.AsSpan(dot + 1), out choice);
    }

    private FrozenDictionary<string, Choice> Index(Func<string, string?> keyOf)
    {
        var index = new Dictionary<string, Choice>(StringComparer.OrdinalIgnoreCase);
        foreach (var pair in _pairs.OrderByDescending(static pair => pair.IsEcdsa)) // stable: then in their own order
        {
            foreach (var name in pair.Served.Names)
            {
                if (keyOf(name) is { } key)
                {
                    Add(key, pair);
                    Add(AsTold(key), pair);
                }
            }
        }

        return index.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

        void Add(string key, CertificatePair pair)
        {
            var added = index.TryAdd(key, new Choice(pair, pair.IsEcdsa ? null : pair));
            if (!added && !pair.IsEcdsa && index[key].Rsa is null)
            {
                index[key] = index[key] with { Rsa = pair };
            }
        }
    }

    // The runtime tells the SNI decoded: "xn--bcher-kva.example" on the wire arrives as "bücher.example".
    private static string AsTold(string name)
    {
        if (!Ascii.IsValid(name) || IPAddress.TryParse(name, out _))
        {
            return name;
        }

        try
        {
            return Idn.GetUnicode(name);
        }
        catch (ArgumentException)
        {
            return name;
        }
    }

    private string Covered()
    {
        var names = Certificates.SelectMany(static certificate => certificate.Names).Distinct().Take(10).ToList();
        return names.Count == 0 ? "no name at all" : string.Join(", ", names);
    }

    /// <summary>The pairs for one name.</summary>
    private readonly record struct Choice(CertificatePair Preferred, CertificatePair? Rsa);
}
