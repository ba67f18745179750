using System.Formats.Asn1;
using System.Net.Security;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Tests.Server.SignIn.ClientCertificates;

/// <summary>An authority for clients' certificates, which also revokes them. Every key is made at run time.</summary>
internal sealed class ClientAuthority
{
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly ECDsa _key;
    private int _lists;

    private ClientAuthority(X509Certificate2 certificate, ECDsa key, ClientAuthority? parent)
    {
        Certificate = certificate;
        _key = key;
        Parent = parent;
    }

    public X509Certificate2 Certificate { get; }

    public ClientAuthority? Parent { get; }

    public string Pem => Certificate.ExportCertificatePem() + "\n";

    /// <summary>An authority that issued itself.</summary>
    public static ClientAuthority CreateRoot(
        string name = "Client root",
        X509KeyUsageFlags usage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new ClientAuthority(
            Request(name, key, usage).CreateSelfSigned(Now.AddYears(-1), Now.AddYears(10)), key, null);
    }

    public ClientAuthority CreateIntermediate(
        string name = "Client intermediate", Action<CertificateRequest>? change = null)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request(name, key);
        change?.Invoke(request);
        using var certificate = request.Create(Certificate, Now.AddMonths(-6), Now.AddYears(5), Serial());
        return new ClientAuthority(certificate.CopyWithPrivateKey(key), key, this);
    }

    /// <summary>A certificate with its key.</summary>
    /// <param name="subject">Its subject: <c>CN=carol</c>.</param>
    /// <param name="names">Its subject alternative names; none: it has no such extension.</param>
    /// <param name="usage">Its one extended key usage; empty: it has no such extension.</param>
    /// <param name="notBefore">One day ago unless set.</param>
    /// <param name="notAfter">In a month unless set.</param>
    /// <param name="change">What else is in it.</param>
    public X509Certificate2 Issue(
        string subject = "CN=carol",
        Action<SubjectAlternativeNameBuilder>? names = null,
        string usage = ClientAuthentication,
        DateTimeOffset? notBefore = null,
        DateTimeOffset? notAfter = null,
        Action<CertificateRequest>? change = null)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (names is not null)
        {
            var builder = new SubjectAlternativeNameBuilder();
            names(builder);
            request.CertificateExtensions.Add(builder.Build());
        }

        if (usage.Length > 0)
        {
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        }

        change?.Invoke(request);
        using var certificate = request.Create(
            Certificate.SubjectName,
            X509SignatureGenerator.CreateForECDsa(_key),
            notBefore ?? Now.AddDays(-1),
            notAfter ?? Now.AddDays(30),
            Serial());
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>A revocation list, encoded.</summary>
    public byte[] Revoke(DateTimeOffset? nextUpdate, params X509Certificate2[] certificates)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var certificate in certificates)
        {
            builder.AddEntry(certificate);
        }

        return builder.Build(
            Certificate, new BigInteger(++_lists), nextUpdate ?? Now.AddDays(7), HashAlgorithmName.SHA256,
            thisUpdate: Now.AddDays(-1));
    }

    /// <summary>An empty list such as the runtime does not write.</summary>
    /// <param name="nextUpdate">Whether it says when its successor is due.</param>
    /// <param name="criticalExtension">The one that it has, or none.</param>
    /// <param name="hash">What it is signed with.</param>
    public byte[] WriteList(bool nextUpdate = true, string? criticalExtension = null, HashAlgorithmName? hash = null)
    {
        var isSha1 = hash == HashAlgorithmName.SHA1;
        var content = new AsnWriter(AsnEncodingRules.DER);
        using (content.PushSequence())
        {
            content.WriteInteger(1);
            WriteAlgorithm(content);
            content.WriteEncodedValue(Certificate.SubjectName.RawData);
            content.WriteUtcTime(Now.AddDays(-1));
            if (nextUpdate)
            {
                content.WriteUtcTime(Now.AddDays(7));
            }

            if (criticalExtension is not null)
            {
                using (content.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                using (content.PushSequence())
                using (content.PushSequence())
                {
                    content.WriteObjectIdentifier(criticalExtension);
                    content.WriteBoolean(true);
                    content.WriteOctetString([0x30, 0x00]);
                }
            }
        }

        var list = new AsnWriter(AsnEncodingRules.DER);
        using (list.PushSequence())
        {
            list.WriteEncodedValue(content.Encode());
            WriteAlgorithm(list);
            list.WriteBitString(_key.SignData(
                content.Encode(), hash ?? HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        return list.Encode();

        void WriteAlgorithm(AsnWriter writer)
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(isSha1 ? "1.2.840.10045.4.1" : "1.2.840.10045.4.3.2");
            }
        }
    }

    /// <summary>What a client shows: its certificate, and the intermediates that it sends along.</summary>
    public static SslStreamCertificateContext Show(
        X509Certificate2 certificate, params ClientAuthority[] intermediates) =>
        SslStreamCertificateContext.Create(
            certificate,
            new X509Certificate2Collection(intermediates.Select(static one => one.Certificate).ToArray()),
            offline: true);

    private static CertificateRequest Request(
        string name, ECDsa key, X509KeyUsageFlags usage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign)
    {
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(12);
        serial[0] = (byte)(serial[0] & 0x7F | 0x01);
        return serial;
    }
}
