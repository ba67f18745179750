using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Core.Authorization;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>
/// Judges client certificates: once for each connection, and again when files change or time runs out.
/// </summary>
internal sealed partial class ClientCertificateVerifier(
    AuthenticationOptions options,
    Reloadable<ClientCertificateTrust> trust,
    SignInMethods methods,
    TimeProvider time,
    ILogger<ClientCertificateVerifier> logger)
{
    // What was refused may become good without a new file: a clock that is set right.
    private static readonly TimeSpan RefusalLifetime = TimeSpan.FromMinutes(1);

    private static readonly AuthenticationResult.Refused Missing = new(
        "no client certificate", "this registry accepts only clients with a certificate, and none was presented");

    // How a connection's certificate was judged last, so that a request does not have it judged again; gone with the
    // connection.
    private readonly ConditionalWeakTable<PresentedCertificate, CertificateJudgement> _judged = [];

    private readonly ClientCertificateOptions _options = options.ClientCertificates ?? new ClientCertificateOptions();
    private readonly CertificateSubjectReader _subjects = new(
        options.ClientCertificates ?? new ClientCertificateOptions());

    /// <summary>Whether every client must present a valid certificate, however it signs in.</summary>
    public bool IsRequired { get; } = options.ClientCertificates?.Mode == ClientCertificateMode.Required;

    /// <summary>
    /// What keeps a connection from being served where a certificate is required; <see langword="null"/>: nothing.
    /// </summary>
    public AuthenticationResult? FindFault(PresentedCertificate? shown)
    {
        if (!IsRequired)
        {
            return null;
        }

        var result = shown is null ? Missing : Judge(shown);
        return result is AuthenticationResult.Accepted ? null : result;
    }

    /// <summary>Signs in with a certificate.</summary>
    public ValueTask<AuthenticationResult> SignInAsync(PresentedCertificate shown, CancellationToken cancellationToken)
    {
        var result = Judge(shown);
        return result is AuthenticationResult.Accepted accepted
            ? methods.ConfirmNameAsync(accepted, cancellationToken)
            : ValueTask.FromResult(result);
    }

    private AuthenticationResult Judge(PresentedCertificate shown)
    {
        var files = trust.Current;
        var now = time.GetUtcNow();
        if (_judged.TryGetValue(shown, out var last) && last.Holds(files, now))
        {
            return last.Result;
        }

        if (files.Accepted.TryGet(shown.Thumbprint, out var known) && known.Holds(files, now))
        {
            _judged.AddOrUpdate(shown, known);
            return known.Result;
        }

        var judgement = Judge(shown, files, now);
        _judged.AddOrUpdate(shown, judgement);
        switch (judgement.Result)
        {
            case AuthenticationResult.Accepted:
                files.Accepted.Add(shown.Thumbprint, judgement, old => !old.Holds(files, time.GetUtcNow()));
                break;
            case AuthenticationResult.Refused refused:
                Log.Refused(logger, PrintableName.Of(shown.SubjectName), shown.Thumbprint, refused.Reason);
                break;
            case AuthenticationResult.Undecided undecided:
                Log.Undecided(logger, PrintableName.Of(shown.SubjectName), undecided.Reason);
                break;
        }

        return judgement.Result;
    }

    private CertificateJudgement Judge(PresentedCertificate shown, ClientCertificateTrust files, DateTimeOffset now)
    {
        var loaded = new X509Certificate2Collection();
        try
        {
            var certificate = X509CertificateLoader.LoadCertificate(shown.Content);
            loaded.Add(certificate);
            var others = new X509Certificate2Collection();
            foreach (var other in shown.Others)
            {
                others.Add(X509CertificateLoader.LoadCertificate(other));
            }

            loaded.AddRange(others);
            if (CertificatePath.Find(certificate, others, files, now, out var fault) is not { } path)
            {
                return For(Refuse(fault));
            }

            if (FindRevocation(path, files, now) is { } revocation)
            {
                return For(revocation);
            }

            if (_subjects.Read(certificate, out fault) is not { } subject)
            {
                return For(Refuse(fault));
            }

            var principal = new Principal
            {
                Subject = subject,
                Evidence = ClientCertificateTrust.Evidence(path.Links),
                ExpiresAt = path.NotAfter, // nothing that is issued for it lasts longer
            };
            var until = path.Links.Select(files.Index.ExpiryFor).Append(path.NotAfter).Where(end => end >= now).Min();
            return new CertificateJudgement(new AuthenticationResult.Accepted(principal), files, path.NotBefore, until);
        }
        catch (CryptographicException)
        {
            return For(Refuse("it is malformed"));
        }
        finally
        {
            foreach (var one in loaded)
            {
                one.Dispose();
            }
        }

        CertificateJudgement For(AuthenticationResult result) => new(result, files, now, now + RefusalLifetime);
    }

    // An authority's list also says which of its intermediates are revoked.
    private AuthenticationResult? FindRevocation(CertificatePath path, ClientCertificateTrust files, DateTimeOffset now)
    {
        AuthenticationResult.Undecided? undecided = null;
        for (var i = 0; i < path.Links.Count; i++)
        {
            var link = path.Links[i];
            if (files.Index.IsRevoked(link.IssuerKey, link.IssuerName, link.Serial))
            {
                return Refuse(i == 0 ? "it was revoked" : "the certificate of its authority was revoked");
            }

            if (_options.ExpiredRevocationLists == ExpiredRevocationLists.Refuse && files.Index.ExpiryFor(link) < now)
            {
                undecided ??= new AuthenticationResult.Undecided(
                    $"a revocation list of its authority was due to be replaced at {files.Index.ExpiryFor(link):u}");
            }
        }

        return undecided;
    }

    private static AuthenticationResult.Refused Refuse(string fault) => new("client certificate: " + fault, fault);

    private static partial class Log
    {
        [LoggerMessage(1040, LogLevel.Information,
            "The client certificate of \"{Subject}\" (sha256:{Thumbprint}) was refused: {Reason}.")]
        public static partial void Refused(ILogger logger, string subject, string thumbprint, string reason);

        [LoggerMessage(1041, LogLevel.Warning,
            "The gateway could not check the client certificate of \"{Subject}\" and answered 503: {Reason}. Put the "
            + "new list into authentication.clientCertificates.revocationLists; access tokens work until they "
            + "expire, and passwords work.")]
        public static partial void Undecided(ILogger logger, string subject, string reason);
    }
}
