using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Foundation.Configuration;

namespace Gateway.Client.Doctor.Client;

/// <summary>
/// The certificate that the registry presents, and whether the system, docker, containerd and podman each trust it.
/// </summary>
internal static class TlsStep
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    // Products that intercept TLS, by the names that they write into their certificates.
    private static readonly string[] Interceptors =
    [
        "zscaler", "fortinet", "fortigate", "palo alto", "blue coat", "bluecoat", "symantec web", "netskope",
        "cisco umbrella", "sophos", "check point",
        "watchguard", "sonicwall", "barracuda", "mitmproxy", "squid", "forcepoint", "websense", "mcafee web gateway",
        "trend micro", "kaspersky", "avast", "bitdefender", "eset ssl", "charles proxy", "fiddler",
    ];

    /// <summary>Runs the step.</summary>
    public static async Task<bool> LookAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        if (question.Url.Scheme == "http")
        {
            visit.IsTrusted = true; // the address is plain HTTP on purpose, and a warning is given
            diagnosis.Warn(
                "TLS020", question.Name,
                "the address begins with http://, so names, passwords and images can be read and changed on the way");
            return true;
        }

        var stream = await visit.Route.ConnectAsync(question.Host, question.Url.Port, cancellationToken);
        TlsAnswer answer;
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            limit.CancelAfter(HandshakeTimeout);
            try
            {
                answer = await TlsProbe.ShakeHandsAsync(stream, question.Host, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                diagnosis.Error(
                    "TLS016", question.Name,
                    $"the connection opens, but there is no handshake within {DoctorText.Span(HandshakeTimeout)}");
                return false;
            }
        }

        if (answer.Fault is { } fault)
        {
            await ReportFaultAsync(visit, answer, fault, cancellationToken);
            return false;
        }

        CertificateInspection.Inspect(diagnosis, question.Name, answer.Chain, question.Host, visit.Time.GetUtcNow());
        InspectTrust(visit, answer.Chain);
        visit.IsTrusted = visit.IsFit(answer.Chain, question.Host);
        if (!diagnosis.Has("TLS"))
        {
            diagnosis.Pass(
                "TLS", question.Name,
                $"{answer.Protocol}; for "
                    + $"{string.Join(", ", CertificateInspection.NamesOf(answer.Chain[0]).Take(5))} until "
                    + $"{DoctorText.At(answer.Chain[0].NotAfter)}");
        }

        return true;
    }

    private static async Task ReportFaultAsync(
        ClientVisit visit, TlsAnswer answer, string fault, CancellationToken cancellationToken)
    {
        var (name, diagnosis) = (visit.Question.Name, visit.Diagnosis);
        if (answer.Chain.Count > 0)
        {
            diagnosis.Error(answer.AsksForCertificate ? "TLS017" : "TLS016", name, fault);
        }
        else if (await SpeaksPlainHttpAsync(visit, cancellationToken) is { } line)
        {
            diagnosis.Error("TLS025", name, $"the port answers \"{line}\" to plain HTTP");
        }
        else
        {
            diagnosis.Error("TLS016", name, fault);
        }
    }

    private static void InspectTrust(ClientVisit visit, IReadOnlyList<X509Certificate2> chain)
    {
        var (question, diagnosis, now) = (visit.Question, visit.Diagnosis, visit.Time.GetUtcNow());
        var stores = TrustStores.Find(question);
        var isSystems = CertificateInspection.LeadsToAuthority(chain, authorities: null, now, out _);
        var isNamed = question.Authorities is { } named
            && CertificateInspection.LeadsToAuthority(chain, named, now, out _);
        var issuer = $"{chain[^1].Issuer}";
        if (!isSystems
            && Interceptors.FirstOrDefault(
                word => issuer.Contains(word, StringComparison.OrdinalIgnoreCase)
                    || chain[0].Issuer.Contains(word, StringComparison.OrdinalIgnoreCase)) is not null)
        {
            diagnosis.Error(
                "TLS024", question.Name, $"the certificate was issued by {chain[0].Issuer}, which intercepts TLS");
            return;
        }

        // Whether an intermediate is missing or the authority unknown shows best against the authorities named with
        // --ca.
        if (!isNamed && question.Authorities is { } meant && !isSystems)
        {
            if (meant.Any(
                authority => chain.Any(
                    one => one.IssuerName.RawData.AsSpan().SequenceEqual(authority.SubjectName.RawData))))
            {
                diagnosis.Error(
                    "TLS015", question.Name,
                    $"it names {meant[0].Subject} as its issuer, but was signed with another key");
            }
            else if (chain.Count > 1 || CertificateInspection.IsSelfIssued(chain[^1]))
            {
                diagnosis.Error(
                    "TLS024", question.Name, $"it was issued by {issuer}, not by "
                        + $"{string.Join("; ", meant.Select(static one => one.Subject))} (--ca)");
            }
            else
            {
                diagnosis.Error(
                    "TLS004", question.Name, $"only {chain[0].Subject} is sent, issued by {chain[0].Issuer}, and no "
                        + "chain leads from there to "
                        + $"{string.Join("; ", meant.Select(static one => one.Subject))} (--ca)");
            }

            return;
        }

        if (isSystems)
        {
            return; // docker, containerd and podman trust the system's authorities
        }

        InspectStores(visit, chain, stores, isNamed);
    }

    private static void InspectStores(
        ClientVisit visit, IReadOnlyList<X509Certificate2> chain, IReadOnlyList<TrustStore> stores, bool isNamed)
    {
        var (question, diagnosis, now) = (visit.Question, visit.Diagnosis, visit.Time.GetUtcNow());
        var issuer = $"{chain[^1].Issuer}";
        var clients = stores.Where(static store => store.Client.Length > 0).ToList();
        foreach (var store in clients)
        {
            if (store.SkipsVerification)
            {
                diagnosis.Warn(
                    "DCK001", $"{store.Client} ({store.Source})", "it does not verify this registry's certificate");
                continue;
            }

            // dockerd treats 127.0.0.0/8 as insecure-registries, whatever daemon.json says.
            if (store.Client == "docker" && question.IsLoopback)
            {
                diagnosis.Pass("TLS", store.Client, "does not verify certificates of loopback addresses");
                continue;
            }

            if (store.Authorities.Count > 0
                && CertificateInspection.LeadsToAuthority(chain, store.Authorities, now, out _))
            {
                visit.ClientAuthorities.AddRange(store.Authorities);
                diagnosis.Pass("TLS", $"{store.Client} ({store.Source})", "trusts the certificate");
            }
            else if (store is { Authorities.Count: 0, Misnamed: { } misnamed })
            {
                diagnosis.Error(
                    "DCK007", misnamed, $"it is for port 443, but {store.Client} looks into {store.Source}",
                    $"mv {ShellWord.Of(misnamed)} {ShellWord.Of(store.Source)}");
            }
            else
            {
                diagnosis.Error(
                    store.ProblemId, store.Client,
                    $"issued by {issuer}; {store.Source} has " + (store.Authorities.Count == 0
                        ? "no authority for it"
                        : string.Join("; ", store.Authorities.Select(static one => one.Subject))),
                    store.Fix);
            }
        }

        if (clients.Count == 0 && !isNamed)
        {
            diagnosis.Error(
                CertificateInspection.IsSelfIssued(chain[^1]) || chain.Count > 1 || !HasIssuerAddress(chain[0])
                    ? "TLS019"
                    : "TLS004", question.Name, $"issued by {issuer}, which this machine does not trust");
        }
        else if (isNamed)
        {
            diagnosis.Inform(
                "TLS011", question.Name, $"issued by {issuer}, which --ca names and the system does not trust",
                $"gateway trust --ca CA.crt --host {ShellWord.Of(question.Name)} prints what each client needs");
        }
    }

    private static bool HasIssuerAddress(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509AuthorityInformationAccessExtension>().Any(
            static extension => extension.EnumerateCAIssuersUris().Any());

    private static async Task<string?> SpeaksPlainHttpAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = await visit.Route.ConnectAsync(
                visit.Question.Host, visit.Question.Url.Port, cancellationToken);
            await stream.WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"GET /v2/ HTTP/1.1\r\nHost: {visit.Question.Name}\r\nConnection: close\r\n\r\n"),
                    cancellationToken);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(5));
            return (await RawHttp.ReadHeadAsync(stream, limit.Token)).Line;
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }
}
