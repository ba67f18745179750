#pragma warning disable CA1416 // the gateway runs on Linux
using System.Security.Cryptography;
using System.Xml.Linq;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Sessions;
using Gateway.Server.Store.Keys;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.SignIn.Sessions;

/// <summary>The keys that encrypt what browsers carry: on the disk, and under the operator's password.</summary>
public sealed class SessionKeyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Store_Key_IsForTheGatewaysUserAloneAndIsReadAgain()
    {
        var folder = Path.Combine(_folder.Path, "data-protection");
        var repository = new FolderXmlRepository(folder);
        Assert.Empty(repository.GetAllElements()); // no folder yet

        repository.StoreElement(XElement.Parse("<key id=\"2\"/>"), "key-2");
        repository.StoreElement(XElement.Parse("<key id=\"1\"/>"), "key-1");

        Assert.Equal(
            ["1", "2"],
            new FolderXmlRepository(folder).GetAllElements().Select(static key => key.Attribute("id")!.Value));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.All(Directory.GetFiles(folder), static file =>
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public void Read_BrokenKey_IsNamedAndNotSkipped()
    {
        var repository = new FolderXmlRepository(_folder.Path);
        repository.StoreElement(XElement.Parse("<key/>"), "good");
        File.WriteAllText(Path.Combine(_folder.Path, "half.xml"), "<key");

        Assert.Contains(
            _folder.Path, Assert.Throws<StateException>(() => repository.GetAllElements()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Encrypt_ThenDecrypt_GivesTheKeyToTheRightPasswordAlone()
    {
        var key = XElement.Parse("<masterKey><value>c2VjcmV0LW1hc3Rlci1rZXk=</value></masterKey>");
        var sealedKey = new PasswordXmlEncryptor("the operator's").Encrypt(key);

        Assert.Equal(typeof(PasswordXmlDecryptor), sealedKey.DecryptorType);
        Assert.DoesNotContain("c2VjcmV0", sealedKey.EncryptedElement.ToString(), StringComparison.Ordinal);
        Assert.Equal(key.ToString(), Decryptor("the operator's").Decrypt(sealedKey.EncryptedElement).ToString());
        Assert.ThrowsAny<CryptographicException>(() => Decryptor("another").Decrypt(sealedKey.EncryptedElement));
        Assert.Contains(
            "tokens.keys.password",
            Assert.ThrowsAny<CryptographicException>(() => Decryptor(null).Decrypt(sealedKey.EncryptedElement)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Encrypt_SameKeyTwice_IsNeverTheSameText()
    {
        var (encryptor, key) = (new PasswordXmlEncryptor("the operator's"), XElement.Parse("<masterKey/>"));
        Assert.NotEqual(encryptor.Encrypt(key).EncryptedElement.Value, encryptor.Encrypt(key).EncryptedElement.Value);
    }

    [Fact]
    public void Decrypt_ChangedInOneByte_IsRefused()
    {
        var element = new PasswordXmlEncryptor("the operator's").Encrypt(
            XElement.Parse("<masterKey>text</masterKey>")).EncryptedElement;
        var bytes = Convert.FromBase64String(element.Value);
        bytes[^1] ^= 1;
        element.Value = Convert.ToBase64String(bytes);

        Assert.ThrowsAny<CryptographicException>(() => Decryptor("the operator's").Decrypt(element));
    }

    private static PasswordXmlDecryptor Decryptor(string? password) => new(
        new ServiceCollection().AddSingleton(new SigningKeyOptions { Password = password }).BuildServiceProvider());
}
