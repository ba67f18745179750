#pragma warning disable CA1416 // the gateway runs on Linux
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>
/// The authorities of a directory's servers, in the form that libldap reads: a folder with a file for each.
/// </summary>
internal sealed class LdapTrust : IDisposable
{
    private LdapTrust(string? folder, X509Certificate2Collection? authorities) =>
        (Folder, Authorities) = (folder, authorities);

    /// <summary>The folder; <see langword="null"/>: the system's authorities are trusted.</summary>
    public string? Folder { get; }

    /// <summary>The same, to find out why a server is not trusted.</summary>
    public X509Certificate2Collection? Authorities { get; }

    /// <summary>Reads the file and writes the folder, for this process alone.</summary>
    /// <exception cref="ProblemException">The file cannot be read or holds no certificate.</exception>
    public static LdapTrust Load(string? path)
    {
        if (path is null)
        {
            return new LdapTrust(null, null);
        }

        var authorities = TrustRoots.Load(path, "certificateAuthority");
        var folder = Directory.CreateTempSubdirectory("gateway-ldap-").FullName; // 0700
        for (var i = 0; i < authorities.Count; i++)
        {
            File.WriteAllText(Path.Combine(folder, $"{i}.pem"), authorities[i].ExportCertificatePem() + "\n");
        }

        return new LdapTrust(folder, authorities);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Folder is not null && Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}
