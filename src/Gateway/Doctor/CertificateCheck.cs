using System.Security.Cryptography.X509Certificates;
using Gateway.Client.Doctor;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Tls;

namespace Gateway.Doctor;

/// <summary>The certificates that the gateway serves, as clients will judge them.</summary>
internal sealed class CertificateCheck : IServerCheck
{
    /// <inheritdoc/>
    public string Area => "TLS";

    /// <inheritdoc/>
    public string Subject => "the certificates";

    /// <inheritdoc/>
    public async Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var now = examined.Time.GetUtcNow();
        var host = examined.Options.PublicUrl!.IdnHost.Trim('[', ']');
        var pairs = examined.Options.Tls.Certificates;
        var chains = pairs.Select(static pair => Read(pair.Certificate)).ToList();

        // With several pairs each is for names of its own; one of them must be for the public URL.
        var forHost = Math.Max(
            chains.FindIndex(
                chain => chain is [var leaf, ..]
                    && leaf.MatchesHostname(host, allowWildcards: true, allowCommonName: false)), 0);
        for (var i = 0; i < pairs.Count; i++)
        {
            var (pair, chain, meant) = (pairs[i], chains[i], i == forHost ? host : null);
            await diagnosis.AttemptAsync(
                Area, pair.Certificate,
                () => Task.Run(() => Inspect(examined, diagnosis, pair, chain, meant, now), cancellationToken),
                cancellationToken);
        }
    }

    private void Inspect(
        ExaminedGateway examined, Diagnosis diagnosis, CertificateOptions pair, List<X509Certificate2>? chain,
        string? host, DateTimeOffset now)
    {
        var before = diagnosis.Findings.Count(static finding => finding.Severity == Severity.Error);
        if (chain is { Count: > 0 })
        {
            CertificateInspection.Inspect(diagnosis, pair.Certificate, chain, host, now);
            InspectTrust(examined, diagnosis, pair.Certificate, chain, now);
        }

        // Everything that a start would refuse.
        foreach (var problem in ProblemsOf(pair, now))
        {
            if (problem.Kind == ProblemKind.KeyMismatch)
            {
                diagnosis.Error(
                    "TLS007", pair.Key, problem.Found is null ? problem.What : $"{problem.What}: {problem.Found}",
                    problem.Fix);
            }
            else if (before == diagnosis.Findings.Count(static finding => finding.Severity == Severity.Error))
            {
                diagnosis.Error("TLS012", problem.Source, SettingProblems.EvidenceOf(problem), problem.Fix);
            }
        }

        if (chain is [var leaf, ..]
            && before == diagnosis.Findings.Count(static finding => finding.Severity == Severity.Error))
        {
            diagnosis.Pass(
                Area, pair.Certificate,
                $"for {string.Join(", ", CertificateInspection.NamesOf(leaf))} until {DoctorText.At(leaf.NotAfter)}");
        }
    }

    private static void InspectTrust(
        ExaminedGateway examined, Diagnosis diagnosis, string file, List<X509Certificate2> chain, DateTimeOffset now)
    {
        if (CertificateInspection.LeadsToAuthority(chain, authorities: null, now, out _))
        {
            return;
        }

        var last = chain[^1];
        if (examined.Authorities is { } authorities)
        {
            if (!CertificateInspection.LeadsToAuthority(chain, authorities, now, out _))
            {
                var meant = string.Join("; ", authorities.Select(static one => one.Subject));
                var namesIt = authorities.Any(
                    one => chain.Any(
                        issued => issued.IssuerName.RawData.AsSpan().SequenceEqual(one.SubjectName.RawData)));
                diagnosis.Error(
                    namesIt ? "TLS015" : CertificateInspection.IsSelfIssued(last) ? "TLS013" : "TLS004",
                    file, $"there is no chain from {last.Subject}, issued by {last.Issuer}, to the authorities named "
                        + $"with --ca ({meant})");
                return;
            }
        }
        else if (!CertificateInspection.IsSelfIssued(last) && IssuerAddressOf(last) is { } address)
        {
            // A private authority that publishes its own certificate by AIA is rare; a forgotten intermediate is not.
            diagnosis.Error(
                "TLS004", file, $"{last.Subject} was issued by {last.Issuer}, which is neither in the file nor trusted "
                    + "by this machine",
                $"curl -s {ShellWord.Of(address.AbsoluteUri)} | openssl x509 -inform DER >> {ShellWord.Of(file)}");
            return;
        }

        diagnosis.Inform(
            "TLS011", file, $"issued by {last.Issuer}, which this machine does not trust",
            "gateway trust --ca CA.crt --host HOST prints what each client needs");
    }

    private static Uri? IssuerAddressOf(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509AuthorityInformationAccessExtension>()
            .SelectMany(static extension => extension.EnumerateCAIssuersUris())
            .Select(
                static text => Uri.TryCreate(text, UriKind.Absolute, out var address)
                    && address.Scheme is ("http" or "https") ? address : null)
            .FirstOrDefault(static address => address is not null);

    // The loader describes the fault better.
    private static List<X509Certificate2>? Read(string path) =>
        TrustRoots.TryRead(path, out var found, out _) ? [.. found] : null;

    private static IReadOnlyList<Problem> ProblemsOf(CertificateOptions pair, DateTimeOffset now)
    {
        try
        {
            CertificateSet.Load(new TlsOptions { Certificates = [pair] }, publicUrl: null, now);
            return [];
        }
        catch (ProblemException exception)
        {
            return exception.Problems;
        }
    }
}
