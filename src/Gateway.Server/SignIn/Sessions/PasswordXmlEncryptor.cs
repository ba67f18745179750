using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Gateway.Server.SignIn.Sessions;

/// <summary>
/// Encrypts keys with <c>tokens.keys.password</c>: AES-256-GCM under a key of PBKDF2 (SHA-256, 600,000 rounds).
/// </summary>
internal sealed class PasswordXmlEncryptor(string password) : IXmlEncryptor
{
    internal const string ElementName = "sealed";
    internal const int SaltLength = 16, NonceLength = 12, TagLength = 16;

    /// <inheritdoc/>
    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var text = new byte[SaltLength + NonceLength + TagLength + plain.Length];
        RandomNumberGenerator.Fill(text.AsSpan(0, SaltLength + NonceLength));
        using var aes = Cipher(password, text);
        aes.Encrypt(
            text.AsSpan(SaltLength, NonceLength), plain, text.AsSpan(SaltLength + NonceLength + TagLength),
            text.AsSpan(SaltLength + NonceLength, TagLength));
        CryptographicOperations.ZeroMemory(plain);
        return new EncryptedXmlInfo(
            new XElement(ElementName, Convert.ToBase64String(text)), typeof(PasswordXmlDecryptor));
    }

    internal static AesGcm Cipher(string password, ReadOnlySpan<byte> text) => new(
        Rfc2898DeriveBytes.Pbkdf2(password, text[..SaltLength], 600_000, HashAlgorithmName.SHA256, 32), TagLength);
}
