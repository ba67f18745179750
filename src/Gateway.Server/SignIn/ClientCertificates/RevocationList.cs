using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>One complete revocation list of an authority.</summary>
/// <remarks>RFC 5280, section 5. The runtime reads lists only to write new ones.</remarks>
internal sealed class RevocationList
{
    private static readonly Asn1Tag ExtensionsTag = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly byte[] True = [1, 1, 0xFF];

    private readonly HashSet<string> _serials;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly ReadOnlyMemory<byte> _signed;
    private readonly string _algorithm;
    private readonly byte[] _signature;

    private RevocationList(ReadOnlyMemory<byte> encoded)
    {
        var outer = new AsnReader(encoded, AsnEncodingRules.DER);
        var list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        _signed = list.PeekEncodedValue();
        var content = list.ReadSequence();
        var algorithm = list.ReadEncodedValue();
        _signature = list.ReadBitString(out _);
        list.ThrowIfNotEmpty();

        var version = content.PeekTag().HasSameClassAndValue(Asn1Tag.Integer) && content.TryReadInt32(out var number)
            ? number
            : 0;
        if (!content.ReadEncodedValue().Span.SequenceEqual(algorithm.Span) || version > 1)
        {
            throw new AsnContentException("the list contradicts itself");
        }

        _algorithm = new AsnReader(algorithm, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier();
        IssuerName = content.ReadEncodedValue().ToArray();
        ReadTime(content);
        NextUpdate = content.HasData && IsTime(content.PeekTag()) ? ReadTime(content) : null;
        _serials = content.HasData && content.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence)
            ? ReadEntries(content.ReadSequence())
            : [];
        if (content.HasData)
        {
            HasCriticalExtension |= AnyIsCritical(content.ReadSequence(ExtensionsTag).ReadSequence());
        }

        content.ThrowIfNotEmpty();
        _lookup = _serials.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The issuer's name, encoded.</summary>
    public byte[] IssuerName { get; }

    /// <summary>When its successor is due; <see langword="null"/>: it does not say, which is not allowed.</summary>
    public DateTimeOffset? NextUpdate { get; }

    /// <summary>
    /// Whether it is marked as incomplete: a partial, delta or indirect list.
    /// </summary>
    public bool HasCriticalExtension { get; private set; }

    /// <summary>How many certificates are on it.</summary>
    public int Count => _serials.Count;

    /// <exception cref="AsnContentException">It is not a list.</exception>
    public static RevocationList Read(ReadOnlyMemory<byte> encoded) => new(encoded);

    /// <summary>A serial number in its one form: upper-case hexadecimal without zeros before it.</summary>
    public static string SerialOf(ReadOnlySpan<byte> number) => Convert.ToHexString(number.TrimStart((byte)0));

    /// <summary>Whether a certificate is on it.</summary>
    /// <param name="serial">From <see cref="SerialOf"/>.</param>
    public bool Holds(ReadOnlySpan<char> serial) => _lookup.Contains(serial);

    /// <summary>Whether the authority signed it, in a way that is secure.</summary>
    public bool IsSignedBy(X509Certificate2 authority)
    {
        HashAlgorithmName? hash = _algorithm switch
        {
            "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
            "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
            "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
            _ => null,
        };
        if (hash is not { } name)
        {
            return false;
        }

        using var rsa = authority.GetRSAPublicKey();
        using var ecdsa = authority.GetECDsaPublicKey();
        return _algorithm.StartsWith("1.2.840.113549.", StringComparison.Ordinal)
            ? rsa is not null && rsa.VerifyData(_signed.Span, _signature, name, RSASignaturePadding.Pkcs1)
            : ecdsa is not null
                && ecdsa.VerifyData(_signed.Span, _signature, name, DSASignatureFormat.Rfc3279DerSequence);
    }

    private HashSet<string> ReadEntries(AsnReader entries)
    {
        var serials = new HashSet<string>(StringComparer.Ordinal);
        while (entries.HasData)
        {
            var entry = entries.ReadSequence();
            serials.Add(SerialOf(entry.ReadIntegerBytes().Span));
            ReadTime(entry);
            if (entry.HasData)
            {
                HasCriticalExtension |= AnyIsCritical(entry.ReadSequence());
            }
        }

        return serials;
    }

    private static bool AnyIsCritical(AsnReader extensions)
    {
        var any = false;
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            extension.ReadObjectIdentifier();
            any |= extension.PeekEncodedValue().Span.SequenceEqual(True);
        }

        return any;
    }

    private static bool IsTime(Asn1Tag tag) =>
        tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();
}
