using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Tls;

/// <summary>Rules of the <c>tls</c> section. What the files hold is for the loader of certificates.</summary>
internal static class TlsOptionsValidator
{
    /// <summary>Reports what is wrong.</summary>
    public static void Validate(TlsOptions options, SettingScope scope)
    {
        if (options.HstsMaxAge.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            scope.At(nameof(options.HstsMaxAge)).Report(
                "is not in full seconds", "Round it to seconds.");
        }

        var authority = scope.At(nameof(options.Authority));
        if (options.Authority is { Length: 0 })
        {
            authority.Report("is empty", "Name the authority's certificate, or remove the setting.");
        }
        else if (options.Authority is { } file && options.Certificates.Exists(pair => pair.Key == file))
        {
            authority.Report("is a private key of tls.certificates",
                "Name the authority's certificate: anyone can download this file.");
        }

        var pairs = scope.At(nameof(options.Certificates));
        for (var i = 0; i < options.Certificates.Count; i++)
        {
            var earlier = options.Certificates.FindIndex(other => Same(other, options.Certificates[i]));
            if (earlier >= 0 && earlier < i)
            {
                pairs.At(i).Report($"is the same pair as {pairs.At(earlier).Key}", "Remove one of the two.");
            }
        }
    }

    private static bool Same(CertificateOptions left, CertificateOptions right) =>
        left.Certificate.Length > 0 && left.Certificate == right.Certificate && left.Key == right.Key;
}
