using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Trust;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Tls;

namespace Gateway.Server.Portal.Trust;

/// <summary>All that the host knows of the pages about the authority.</summary>
internal static class TrustServiceExtensions
{
    /// <summary>The setting that names the file.</summary>
    public const string Setting = "tls.authority";

    /// <summary>Adds the authority, which is read again when its file changes, where one is configured.</summary>
    public static IServiceCollection AddTrustPages(this IServiceCollection services, TlsOptions options)
    {
        if (options.Authority is { } file)
        {
            services.AddSingleton(provider =>
            {
                var time = provider.GetRequiredService<TimeProvider>();
                return new Reloadable<PrivateAuthority>(
                    "authority", () => [file], () => Load(options, time.GetUtcNow())!, time,
                    provider.GetRequiredService<ILogger<Reloadable<PrivateAuthority>>>());
            });
            services.AddSingleton<IReloadable>(
                static provider => provider.GetRequiredService<Reloadable<PrivateAuthority>>());
        }

        return services;
    }

    /// <summary>Serves the pages, where there is something to show.</summary>
    public static void UseTrustPages(this WebApplication app, TlsOptions options)
    {
        if (options.Authority is not null)
        {
            app.UseMiddleware<TrustMiddleware>();
        }
    }

    /// <summary>
    /// Reads the configured file. An expired one is shown with a warning: refusing to start would help no one.
    /// </summary>
    /// <returns><see langword="null"/>: none is configured.</returns>
    /// <exception cref="ProblemException">It must not be published, or is not an authority.</exception>
    public static PrivateAuthority? Load(TlsOptions options, DateTimeOffset now) =>
        options.Authority is { } file ? PrivateAuthorityReader.Read(file, Setting, now, mayBeExpired: true) : null;

    /// <summary>
    /// What an operator hardly intends: an authority that signed none of the certificates, for example.
    /// </summary>
    public static IReadOnlyList<Problem> Warnings(TlsOptions options, CertificateSet served, DateTimeOffset now)
    {
        if (Load(options, now) is not { } authority)
        {
            return [];
        }

        return options.Certificates.Exists(pair => LeadsTo(authority, pair.Certificate))
            ? authority.Warnings
            : [
                .. authority.Warnings,
                new Problem(
                    authority.File,
                    $"{Setting}: none of tls.certificates chains to this authority, so trusting it helps no client",
                    authority.Certificates[0].Subject,
                    $"Name the authority that issued {served.Certificates[0].DisplayName}, with the intermediates in "
                        + "its certificate's file."),
            ];
    }

    // Not by time: validity is reported for each certificate separately.
    private static bool LeadsTo(PrivateAuthority authority, string file)
    {
        var sent = new X509Certificate2Collection();
        sent.ImportFromPemFile(file);
        using var chain = new X509Chain
        {
            ChainPolicy = TrustRoots.Policy([.. authority.Certificates], authority.Certificates),
        };
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        chain.ChainPolicy.ExtraStore.AddRange(sent);

        // An intermediate is not a root for the platform, but it is for docker.
        _ = chain.Build(sent[0]);
        return !chain.ChainStatus.Any(static status => status.Status.HasFlag(X509ChainStatusFlags.NotSignatureValid))
            && chain.ChainElements.Any(element => authority.Certificates.Any(one =>
            one.RawDataMemory.Span.SequenceEqual(element.Certificate.RawDataMemory.Span)));
    }
}
