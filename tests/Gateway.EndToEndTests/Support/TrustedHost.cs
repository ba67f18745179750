using System.Text;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// Gives this machine a host <c>registry.gateway.test</c> and lets clients trust an authority there, as an
/// administrator does it: <c>certs.d</c>. Dispose takes both back.
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
        WriteHosts(ReadHosts() + HostsLine + '\n');
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

    /// <summary>The machine's host names, each line with its end.</summary>
    internal static string ReadHosts()
    {
        var text = File.ReadAllText(HostsFile);
        return text.Length == 0 || text.EndsWith('\n') ? text : text + '\n';
    }

    /// <summary>Changes the machine's host names.</summary>
    /// <remarks>
    /// In place: in a container <c>/etc/hosts</c> is a mount, which cannot be renamed over. It is never empty
    /// meanwhile, since other suites run beside this one and look names up.
    /// </remarks>
    internal static void WriteHosts(string text)
    {
        using var file = new FileStream(HostsFile, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(Encoding.UTF8.GetBytes(text));
        file.SetLength(file.Position);
    }

    private static async Task RunIpAsync(string verb) =>
        (await Cli.RunAsync("ip", ["address", verb, Address + "/32", "dev", "lo"])).Succeeded();

    private static void RemoveHostsLine() =>
        WriteHosts(ReadHosts().Replace(HostsLine + '\n', "", StringComparison.Ordinal));
}
