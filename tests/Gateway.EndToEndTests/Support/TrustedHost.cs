namespace Gateway.EndToEndTests.Support;

/// <summary>
/// Gives this machine a host <c>registry.gateway.test</c> and lets clients trust an authority there, as an administrator
/// does it: <c>certs.d</c>. Dispose takes both back.
/// </summary>
/// <remarks>Needs root. Tests that use it belong to <see cref="SharedMachine"/>.</remarks>
internal sealed class TrustedHost : IAsyncDisposable
{
    /// <summary>The host name.</summary>
    public const string Name = "registry.gateway.test";

    /// <summary>
    /// Its address, on the loopback interface but not in 127.0.0.0/8: dockerd verifies no certificate of a host there,
    /// whatever its name. RFC 5737 sets it apart from any real one.
    /// </summary>
    public const string Address = "198.51.100.77";

    private const string HostsFile = "/etc/hosts";
    private static readonly string HostsLine = $"{Address} {Name} # added by the gateway's tests";

    private readonly HashSet<string> _folders = [];

    private TrustedHost()
    {
    }

    /// <summary>Adds address and name.</summary>
    public static async Task<TrustedHost> CreateAsync()
    {
        await RunIpAsync("replace");
        RemoveHostsLine(); // of a run that was killed
        File.AppendAllLines(HostsFile, [HostsLine]);
        return new TrustedHost();
    }

    /// <summary>Trusts the authority's certificate from now on, for <c>registry.gateway.test:PORT</c>.</summary>
    public void Trust(string authority, string certificateFile)
    {
        // containers/image reads Docker's folder too; each client gets the one that its own manual names.
        foreach (var folder in new[] { $"/etc/docker/certs.d/{authority}", $"/etc/containers/certs.d/{authority}" })
        {
            _folders.Add(folder);
            Directory.CreateDirectory(folder);
            File.Copy(certificateFile, Path.Combine(folder, "ca.crt"), overwrite: true);
        }
    }

    /// <summary>Trusts no authority any more.</summary>
    public void Distrust()
    {
        foreach (var folder in _folders.Where(Directory.Exists))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Distrust();
        RemoveHostsLine();
        await RunIpAsync("delete");
    }

    private static async Task RunIpAsync(string verb) =>
        (await Cli.RunAsync("ip", ["address", verb, Address + "/32", "dev", "lo"])).Succeeded();

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
