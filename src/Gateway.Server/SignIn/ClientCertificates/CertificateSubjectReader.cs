using System.Collections.Frozen;
using System.Security.Cryptography.X509Certificates;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>Finds the subject that a valid certificate names.</summary>
internal sealed class CertificateSubjectReader(ClientCertificateOptions options)
{
    /// <summary>The method of people's certificates.</summary>
    public const string Method = "certificate";

    // DNS names are compared without regard to case; nothing else is.
    private readonly HashSet<string> _stripped = new(options.StripDomains, StringComparer.OrdinalIgnoreCase);

    /// <summary>The method of workloads of a trust domain, and what policies call them.</summary>
    public static string MethodOf(string trustDomain) => "issuer:" + SpiffeId.Scheme + trustDomain;

    /// <summary>Reads it.</summary>
    /// <param name="certificate">The certificate; its authority is trusted.</param>
    /// <param name="fault">Why it names no one, for the client's user.</param>
    public Subject? Read(X509Certificate2 certificate, out string fault)
    {
        if (CertificateNames.Read(certificate) is not { } names)
        {
            fault = "its names are malformed";
            return null;
        }

        foreach (var identity in options.Identity)
        {
            switch (names.Of(identity))
            {
                case []:
                    break;
                case [var value]:
                    var subject = SubjectOf(identity, value, certificate, names, out fault);
                    return subject is null ? null : WithGroups(subject, names, ref fault);
                case var several:
                    fault = $"it has {several.Count} names of the kind \"{NameOf(identity)}\", so it is not clear "
                        + "whose it is";
                    return null;
            }
        }

        fault = "it has no name of a kind that is used here: " + string.Join(", ", options.Identity.Select(NameOf));
        return null;
    }

    private static string NameOf(CertificateIdentity identity) => SettingText.ChoiceOf(identity.ToString());

    private Subject? SubjectOf(
        CertificateIdentity identity, string value, X509Certificate2 certificate, CertificateNames names,
        out string fault)
    {
        fault = "";
        var claims = ClaimsOf(certificate, names);
        if (identity == CertificateIdentity.Uri
            && value.StartsWith(SpiffeId.Scheme, StringComparison.OrdinalIgnoreCase))
        {
            if (!SpiffeId.TryParse(value, out var trustDomain))
            {
                fault = $"its SPIFFE id \"{PrintableName.Of(value)}\" is malformed, or longer "
                    + $"than {SpiffeId.MaxLength} characters";
                return null;
            }

            if (!options.SpiffeTrustDomains.Contains(trustDomain))
            {
                fault = $"its SPIFFE trust domain \"{trustDomain}\" is not accepted here";
                return null;
            }

            // The whole id: no workload of another issuer has such a name.
            return new Subject
            {
                Kind = SubjectKind.Workload,
                Name = value,
                Method = MethodOf(trustDomain),
                Claims = claims,
            };
        }

        var name = identity == CertificateIdentity.Email ? WithoutDomain(value) : value;
        if (!UserName.IsValid(name))
        {
            fault = $"its {NameOf(identity)} \"{PrintableName.Of(value)}\" is not a user name. {UserName.Rule}";
            return null;
        }

        return new Subject { Kind = SubjectKind.User, Name = name, Method = Method, Claims = claims };
    }

    private string WithoutDomain(string email)
    {
        var at = email.LastIndexOf('@');
        return at >= 0 && _stripped.Contains(email[(at + 1)..]) ? email[..at] : email;
    }

    private Subject? WithGroups(Subject subject, CertificateNames names, ref string fault)
    {
        if (!options.OrganizationalUnitsAreGroups || names.OrganizationalUnits.Count == 0)
        {
            return subject;
        }

        // All or none: a deny may depend on the one that was left out.
        if (names.OrganizationalUnits.FirstOrDefault(static unit => !SubjectSelector.IsName(unit)) is { } unusable)
        {
            fault = $"its organizational unit \"{PrintableName.Of(unusable)}\" cannot be the name of a group";
            return null;
        }

        return subject with { Groups = [.. names.OrganizationalUnits.Distinct(StringComparer.Ordinal)] };
    }

    private static FrozenDictionary<string, string> ClaimsOf(X509Certificate2 certificate, CertificateNames names)
    {
        var claims = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["subject"] = certificate.Subject,
            ["issuer"] = certificate.Issuer,
            ["serial"] = RevocationList.SerialOf(certificate.SerialNumberBytes.Span),
        };
        Add("uri", names.Uris);
        Add("email", names.Emails);
        Add("dns", names.DnsNames);
        return claims.ToFrozenDictionary(StringComparer.Ordinal);

        void Add(string claim, IReadOnlyList<string> values)
        {
            if (values.Count > 0)
            {
                claims.Add(claim, string.Join(',', values));
            }
        }
    }
}
