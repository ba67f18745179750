using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>The names in a certificate, by kind, each kind in its order.</summary>
/// <param name="Uris">Of the subject alternative name.</param>
/// <param name="Emails">Of the subject alternative name; one in the subject does not count.</param>
/// <param name="DnsNames">Of the subject alternative name.</param>
/// <param name="CommonNames">Of the subject.</param>
/// <param name="OrganizationalUnits">Of the subject.</param>
internal sealed record CertificateNames(
    IReadOnlyList<string> Uris,
    IReadOnlyList<string> Emails,
    IReadOnlyList<string> DnsNames,
    IReadOnlyList<string> CommonNames,
    IReadOnlyList<string> OrganizationalUnits)
{
    private const string AlternativeName = "2.5.29.17";
    private const string CommonName = "2.5.4.3";
    private const string OrganizationalUnit = "2.5.4.11";

    private static readonly Asn1Tag EmailTag = new(TagClass.ContextSpecific, 1);
    private static readonly Asn1Tag DnsTag = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    /// <summary>The values of one kind.</summary>
    public IReadOnlyList<string> Of(CertificateIdentity identity) => identity switch
    {
        CertificateIdentity.Uri => Uris,
        CertificateIdentity.Email => Emails,
        CertificateIdentity.Dns => DnsNames,
        _ => CommonNames,
    };

    /// <summary>Reads a certificate's names.</summary>
    /// <returns><see langword="null"/> where they are malformed: another reader might find other names.</returns>
    /// <remarks>
    /// RFC 5280, sections 4.1.2.6 and 4.2.1.6. The runtime's own reader knows neither URIs nor email addresses.
    /// </remarks>
    public static CertificateNames? Read(X509Certificate2 certificate)
    {
        try
        {
            List<string> uris = [], emails = [], dnsNames = [], commonNames = [], units = [];
            var extensions = certificate.Extensions.Where(
                static extension => extension.Oid?.Value == AlternativeName).ToList();
            if (extensions.Count > 1)
            {
                return null;
            }

            foreach (var extension in extensions)
            {
                ReadAlternativeNames(extension.RawData, uris, emails, dnsNames);
            }

            ReadSubject(certificate.SubjectName.RawData, commonNames, units);
            return new CertificateNames(uris, emails, dnsNames, commonNames, units);
        }
        catch (Exception exception) when (exception is AsnContentException or CryptographicException)
        {
            return null;
        }
    }

    private static void ReadAlternativeNames(
        ReadOnlyMemory<byte> encoded, List<string> uris, List<string> emails, List<string> dnsNames)
    {
        var reader = new AsnReader(encoded, AsnEncodingRules.DER);
        var names = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        while (names.HasData)
        {
            var tag = names.PeekTag();
            var kind = tag.HasSameClassAndValue(UriTag) ? uris
                : tag.HasSameClassAndValue(EmailTag) ? emails
                : tag.HasSameClassAndValue(DnsTag) ? dnsNames
                : null;
            if (kind is null)
            {
                names.ReadEncodedValue(); // an address, a directory name: not a name that is used here
            }
            else
            {
                kind.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            }
        }
    }

    private static void ReadSubject(ReadOnlyMemory<byte> encoded, List<string> commonNames, List<string> units)
    {
        var reader = new AsnReader(encoded, AsnEncodingRules.DER);
        var name = reader.ReadSequence();
        reader.ThrowIfNotEmpty();
        while (name.HasData)
        {
            var attributes = name.ReadSetOf(skipSortOrderValidation: true);
            while (attributes.HasData)
            {
                var attribute = attributes.ReadSequence();
                var kind = attribute.ReadObjectIdentifier() switch
                {
                    CommonName => commonNames,
                    OrganizationalUnit => units,
                    _ => null,
                };
                kind?.Add(attribute.ReadCharacterString((UniversalTagNumber)attribute.PeekTag().TagValue));
            }
        }
    }
}
