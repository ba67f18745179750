using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Configuration;
using Tomlyn.Model;

namespace Gateway.Client.Doctor.Client;

/// <summary>What one client of this machine trusts for a registry in addition to the system's authorities.</summary>
/// <param name="Client">Its name.</param>
/// <param name="Source">Where it looks.</param>
/// <param name="Authorities">The authorities there.</param>
/// <param name="SkipsVerification">Whether it accepts any certificate.</param>
/// <param name="ProblemId">The problem if it does not trust the registry.</param>
/// <param name="Fix">How to make it trust the registry.</param>
internal sealed record TrustStore(
    string Client, string Source, X509Certificate2Collection Authorities, bool SkipsVerification, string ProblemId,
    string Fix)
{
    /// <summary>A folder of the same host that this client ignores, since its name lacks the port.</summary>
    public string? Misnamed { get; init; }
}

/// <summary>Finds the trust stores of the installed clients.</summary>
internal static class TrustStores
{
    /// <summary>Those of docker, containerd and podman, where they are installed.</summary>
    public static IReadOnlyList<TrustStore> Find(ClientQuestion question)
    {
        var (machine, name) = (question.Machine, question.Name);
        var found = new List<TrustStore>();
        if (machine.Has("/etc/docker") || machine.HasProgram("dockerd"))
        {
            var folder = $"/etc/docker/certs.d/{name}";
            found.Add(new TrustStore(
                "docker", folder, ReadFolder(machine, folder), IsInsecureForDocker(machine, question), "TLS021",
                $"mkdir -p {ShellWord.Of(folder)} && cp CA.crt {ShellWord.Of(folder + "/ca.crt")} (no restart needed; "
                    + "with containerd's image store also add it to the system's store, then restart docker)")
            {
                Misnamed = MisnamedIn(question, "/etc/docker/certs.d"),
            });
        }

        if (machine.Has("/etc/containerd") || machine.HasProgram("containerd"))
        {
            found.Add(Containerd(machine, name));
        }

        if (machine.Has("/etc/containers") || machine.HasProgram("podman"))
        {
            string[] folders = [
                $"{machine.Home}/.config/containers/certs.d/{name}", $"/etc/containers/certs.d/{name}",
                $"/etc/docker/certs.d/{name}",
            ];
            var authorities = new X509Certificate2Collection();
            foreach (var folder in folders)
            {
                authorities.AddRange(ReadFolder(machine, folder));
            }

            found.Add(new TrustStore(
                "podman, skopeo and buildah", folders[1], authorities, IsInsecureForPodman(machine, question), "TLS023",
                $"mkdir -p {ShellWord.Of(folders[1])} && cp CA.crt {ShellWord.Of(folders[1] + "/ca.crt")}")
            {
                Misnamed = MisnamedIn(question, "/etc/containers/certs.d"),
            });
        }

        return found;
    }

    /// <summary>Whether dockerd accepts any certificate, and plain HTTP, from a registry.</summary>
    public static bool IsInsecureForDocker(ClientMachine machine, ClientQuestion question) =>
        machine.ReadJson("/etc/docker/daemon.json", out _) is { } daemon
        && daemon.TryGetProperty("insecure-registries", out var list)
        && list.ValueKind == System.Text.Json.JsonValueKind.Array
        && list.EnumerateArray().Any(
            one => one.ValueKind == System.Text.Json.JsonValueKind.String
                && IsInsecureEntry(one.GetString()!, question));

    // moby, registry/config.go: a network, or host and port exactly as in image names.
    private static bool IsInsecureEntry(string entry, ClientQuestion question) =>
        entry == question.Name
        || (ProxySettings.TryParseNetwork(entry, out var network) && IPAddress.TryParse(question.Host, out var address)
        && network.Contains(address));

    /// <summary>Whether podman does.</summary>
    public static bool IsInsecureForPodman(ClientMachine machine, ClientQuestion question) =>
        machine.Files("/etc/containers/registries.conf.d", "*.conf").Prepend("/etc/containers/registries.conf")
            .Any(file => machine.ReadToml(file, out _) is { } table
                && table.TryGetValue("registry", out var registries) && registries is TomlTableArray all
                && all.Any(one => one.TryGetValue("insecure", out var insecure) && insecure is true
                    && ((one.TryGetValue("location", out var location) && Names(location, question))
                    || (one.TryGetValue("prefix", out var prefix) && Names(prefix, question)))));

    private static bool Names(object? value, ClientQuestion question) =>
        value is string text
        && (text == question.Name || text == question.Host
        || text.StartsWith(question.Name + "/", StringComparison.Ordinal));

    private static string? MisnamedIn(ClientQuestion question, string root) =>
        !question.Url.IsDefaultPort && question.Machine.Files($"{root}/{question.Host}", "*.crt").Any()
            ? $"{root}/{question.Host}"
            : null;

    private static TrustStore Containerd(ClientMachine machine, string name)
    {
        const string root = "/etc/containerd/certs.d";
        var colon = name.LastIndexOf(':');
        string[] folders = [
            .. colon > 0 ? [$"{root}/{name[..colon]}_{name[(colon + 1)..]}_"] : Array.Empty<string>(), $"{root}/{name}",
            $"{root}/_default",
        ];
        var folder = Array.Find(folders, machine.Has) ?? $"{root}/{name}";
        var authorities = new X509Certificate2Collection();
        var skips = false;
        if (!machine.Has($"{folder}/hosts.toml"))
        {
            authorities = ReadFolder(machine, folder); // docker's layout is understood as well
        }
        else if (machine.ReadToml($"{folder}/hosts.toml", out _) is { } hosts)
        {
            // The top level is for the server itself, [host."https://…"] for each host: a mirror's settings are not the
            // server's.
            List<TomlTable> tables = [];
            if (!hosts.TryGetValue("server", out var server) || IsAt(server as string, name))
            {
                tables.Add(hosts);
            }

            if (hosts.TryGetValue("host", out var named) && named is TomlTable all)
            {
                tables.AddRange(
                    all.Where(pair => IsAt(pair.Key, name)).Select(static pair => pair.Value).OfType<TomlTable>());
            }

            foreach (var table in tables)
            {
                skips |= table.TryGetValue("skip_verify", out var skip) && skip is true;
                foreach (var file in !table.TryGetValue("ca", out var ca)
                    ? []
                    : ca is TomlArray list ? list.OfType<string>() : ca is string one ? [one] : Array.Empty<string>())
                {
                    Import(machine, file.StartsWith('/') ? file : $"{folder}/{file}", authorities);
                }
            }
        }

        return new TrustStore(
            "containerd", $"{folder}/hosts.toml", authorities, skips, "TLS022",
            $"mkdir -p {root}/{name}, put CA.crt there as ca.crt, and write into hosts.toml: server = "
                + $"\"https://{name}\" and [host.\"https://{name}\"] with ca = \"ca.crt\"; config_path in config.toml "
                + $"must name {root}");
    }

    private static bool IsAt(string? address, string name) =>
        address is not null
        && Uri.TryCreate(
            address.Contains("://", StringComparison.Ordinal) ? address : "https://" + address, UriKind.Absolute,
            out var url) && url.Authority == name;

    private static X509Certificate2Collection ReadFolder(ClientMachine machine, string folder)
    {
        var authorities = new X509Certificate2Collection();
        foreach (var file in machine.Files(folder, "*.crt"))
        {
            Import(machine, file, authorities);
        }

        return authorities;
    }

    private static void Import(ClientMachine machine, string file, X509Certificate2Collection authorities)
    {
        try
        {
            authorities.ImportFromPem(machine.Read(file));
        }
        catch (CryptographicException)
        {
            // Its client ignores it as well.
        }
    }
}
