namespace Gateway.EndToEndTests.Support;

/// <summary>
/// Names 127.0.0.1 <c>registry.gateway.test</c> on this machine and lets clients trust an authority there, as an
/// administrator does it: <c>certs.d</c>. Dispose takes both back.
/// </summary>
/// <remarks>Needs root. Tests that use it belong to <see cref="SharedMachine"/>.</remarks>
internal sealed class TrustedHost : IDisposable
{
    /// <summary>The host name. It is not localhost, where dockerd verifies no certificate.</summary>
    public const string Name = "registry.gateway.test";

    private const string HostsFile = "/etc/hosts";
    private static readonly string HostsLine = $"127.0.0.1 {Name} # added by the gateway's tests";

    private readonly string[] _folders;

    /// <param name="authority"><c>registry.gateway.test:PORT</c>.</param>
    public TrustedHost(string authority)
    {
        // containers/image reads Docker's folder too; each client gets the one that its own manual names.
        _folders = [$"/etc/docker/certs.d/{authority}", $"/etc/containers/certs.d/{authority}"];
        RemoveHostsLine(); // of a run that was killed
        File.AppendAllLines(HostsFile, [HostsLine]);
    }

    /// <summary>Trusts the authority's certificate from now on.</summary>
    public void Trust(string certificateFile)
    {
        foreach (var folder in _folders)
        {
            Directory.CreateDirectory(folder);
            File.Copy(certificateFile, Path.Combine(folder, "ca.crt"), overwrite: true);
        }
    }

    /// <summary>Trusts it no more.</summary>
    public void Distrust()
    {
        foreach (var folder in _folders.Where(Directory.Exists))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public void Dispose()
    {
        Distrust();
        RemoveHostsLine();
    }

    // In place: in a container /etc/hosts is a mount, which cannot be renamed over.
    private static void RemoveHostsLine()
    {
        var lines = File.ReadAllLines(HostsFile);
        if (lines.Contains(HostsLine))
        {
            File.WriteAllLines(HostsFile, lines.Where(static line => line != HostsLine));
        }
    }
}
