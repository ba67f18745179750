using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Gateway.Server.Store.Keys;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Gateway.Server.SignIn.Sessions;

/// <summary>Decrypts them; made by the framework, which names it in the key itself.</summary>
internal sealed class PasswordXmlDecryptor(IServiceProvider services) : IXmlDecryptor
{
    private readonly string? _password = services.GetRequiredService<SigningKeyOptions>().Password;

    /// <inheritdoc/>
    public XElement Decrypt(XElement encryptedElement)
    {
        const int Head = PasswordXmlEncryptor.SaltLength + PasswordXmlEncryptor.NonceLength
            + PasswordXmlEncryptor.TagLength;
        var text = Convert.FromBase64String(encryptedElement.Value);
        if (_password is null || text.Length < Head)
        {
            throw new CryptographicException("The key is encrypted, and tokens.keys.password is not set.");
        }

        var plain = new byte[text.Length - Head];
        using var aes = PasswordXmlEncryptor.Cipher(_password, text);
        aes.Decrypt(
            text.AsSpan(PasswordXmlEncryptor.SaltLength, PasswordXmlEncryptor.NonceLength), text.AsSpan(Head),
            text.AsSpan(Head - PasswordXmlEncryptor.TagLength, PasswordXmlEncryptor.TagLength), plain);
        return XElement.Parse(Encoding.UTF8.GetString(plain));
    }
}
