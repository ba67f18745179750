using Gateway.Server.Requests.Tls;

namespace Gateway.Tests.Server.Requests.Tls;

/// <summary>A folder of its own for one test, with the files of certificate pairs.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("gateway-tls-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>
    /// Writes a pair as <c>name.crt</c> and <c>name.key</c>, the certificate followed by those given.
    /// </summary>
    public CertificateOptions Write(string name, TestPair pair, params TestAuthority[] chain) => new()
    {
        Certificate = Write(
            name + ".crt",
            pair.CertificatePem + string.Concat(chain.Select(static c => c.Certificate.ExportCertificatePem() + "\n"))),
        Key = Write(name + ".key", pair.KeyPem),
    };

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
