using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>
/// Rules of the <c>authentication.clientCertificates</c> section. What the files hold is for their loader.
/// </summary>
internal static class ClientCertificateOptionsValidator
{
    /// <summary>Reports what is wrong.</summary>
    public static void Validate(ClientCertificateOptions options, SettingScope scope)
    {
        var identity = scope.At(nameof(options.Identity));
        if (options.Identity.Count == 0)
        {
            identity.Report("is empty, so no certificate names anyone",
                "List at least one kind of name, or remove the setting.");
        }

        CheckOnce(options.Identity, identity);
        CheckOnce(options.StripDomains, scope.At(nameof(options.StripDomains)));
        CheckOnce(options.SpiffeTrustDomains, scope.At(nameof(options.SpiffeTrustDomains)));
        CheckOnce(options.RevocationLists, scope.At(nameof(options.RevocationLists)));
        for (var i = 0; i < options.StripDomains.Count; i++)
        {
            if (!SpiffeId.IsTrustDomain(options.StripDomains[i].ToLowerInvariant()))
            {
                scope.At(nameof(options.StripDomains)).At(i).Report(
                    "is not a domain", "Write it like \"example.com\", without \"@\".");
            }
        }

        for (var i = 0; i < options.SpiffeTrustDomains.Count; i++)
        {
            if (!SpiffeId.IsTrustDomain(options.SpiffeTrustDomains[i]))
            {
                scope.At(nameof(options.SpiffeTrustDomains)).At(i).Report(
                    "is not a SPIFFE trust domain",
                    "Write it like \"example.org\": lower-case letters, digits, \".\", \"-\" and \"_\", without "
                        + "\"spiffe://\".");
            }
        }

        if (options.SpiffeTrustDomains.Count > 0 && !options.Identity.Contains(CertificateIdentity.Uri))
        {
            identity.Report(
                "does not list \"uri\", which holds SPIFFE ids", "Add \"uri\", or remove spiffeTrustDomains.");
        }
    }

    private static void CheckOnce<T>(List<T> items, SettingScope scope)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (items.IndexOf(items[i]) < i)
            {
                scope.At(i).Report("appears twice", "List each once.");
            }
        }
    }
}
