using System.Net;
using System.Text.RegularExpressions;

namespace Gateway.Doctor.Client;

/// <summary>The proxies that one client uses, and where it has them from.</summary>
/// <param name="Client">Whose they are: <c>the shell</c>, <c>dockerd</c>.</param>
/// <param name="Source">Where they stand; empty where it has none.</param>
/// <param name="Https">For https; <see langword="null"/>: none.</param>
/// <param name="Http">For http.</param>
/// <param name="NoProxy">What is reached without, as written.</param>
internal sealed partial record ProxySettings(string Client, string Source, string? Https, string? Http, string? NoProxy)
{
    private static readonly string[] UnitFolders = ["/lib/systemd/system", "/usr/lib/systemd/system", "/run/systemd/system", "/etc/systemd/system"];

    /// <summary>
    /// The proxy for a URL; <see langword="null"/> where it is reached directly. As Go's net/http decides (golang.org/x/net/http/httpproxy),
    /// which docker, containerd, podman, skopeo, buildkit and oras are written with.
    /// </summary>
    public string? For(Uri url) =>
        (url.Scheme == "https" ? Https : Http) is { Length: > 0 } proxy && !IsExempt(url) ? proxy : null;

    /// <summary>Entries of NO_PROXY that name the host but exempt nothing, by the form in which they are written.</summary>
    public IEnumerable<string> IdleExemptions(Uri url)
    {
        var host = url.IdnHost.Trim('[', ']');
        return (NoProxy ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(entry => entry.Contains(host, StringComparison.OrdinalIgnoreCase) && !Exempts(entry, url));
    }

    /// <summary>The proxies of the environment, as Go reads them: capitals first.</summary>
    public static ProxySettings OfEnvironment(ClientMachine machine)
    {
        string? Any(string name) => machine.Variable(name.ToUpperInvariant()) ?? machine.Variable(name.ToLowerInvariant());
        var (https, http) = (Any("https_proxy"), Any("http_proxy"));
        return new ProxySettings("the shell, and with it podman, skopeo and buildah", https is null && http is null ? "" : "its environment", https, http, Any("no_proxy"));
    }

    /// <summary>The proxies of a daemon that systemd starts, and that may have a file of its own.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="service"><c>docker</c>, <c>containerd</c>.</param>
    /// <param name="client">What it is called.</param>
    public static ProxySettings OfService(ClientMachine machine, string service, string client)
    {
        string? https = null, http = null, noProxy = null;
        var sources = new List<string>();

        // systemd reads /etc over /run over /lib, and drop-ins after the unit; the last assignment counts.
        foreach (var file in UnitFolders.Select(folder => $"{folder}/{service}.service")
            .Concat(UnitFolders.SelectMany(folder => machine.Files($"{folder}/{service}.service.d", "*.conf"))))
        {
            Take(machine.Read(file), file, Assignment());
            foreach (Match named in EnvironmentFile().Matches(machine.Read(file) ?? ""))
            {
                Take(machine.Read(named.Groups[1].Value), named.Groups[1].Value, Line());
            }
        }

        // Those of daemon.json win over the environment (dockerd, "proxies").
        if (service == "docker" && machine.ReadJson("/etc/docker/daemon.json", out _) is { } daemon
            && daemon.TryGetProperty("proxies", out var proxies) && proxies.ValueKind == System.Text.Json.JsonValueKind.Object)
        {
            string? Text(string name) => proxies.TryGetProperty(name, out var value) && value.ValueKind == System.Text.Json.JsonValueKind.String ? value.GetString() : null;
            (https, http, noProxy) = (Text("https-proxy") ?? https, Text("http-proxy") ?? http, Text("no-proxy") ?? noProxy);
            sources.Add("/etc/docker/daemon.json");
        }

        return new ProxySettings(client, string.Join(", ", sources.Distinct()), https, http, noProxy);

        void Take(string? text, string file, Regex pattern)
        {
            foreach (Match found in pattern.Matches(text ?? ""))
            {
                var value = found.Groups[2].Value.Trim('"', '\'', ' ');
                switch (found.Groups[1].Value.ToLowerInvariant())
                {
                    case "https_proxy":
                        https = value;
                        break;
                    case "http_proxy":
                        http = value;
                        break;
                    default:
                        noProxy = value;
                        break;
                }

                sources.Add(file);
            }
        }
    }

    private bool IsExempt(Uri url)
    {
        var host = url.IdnHost.Trim('[', ']');
        return host == "localhost"
            || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address))
            || (NoProxy ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Any(entry => Exempts(entry, url));
    }

    private static bool Exempts(string entry, Uri url)
    {
        var host = url.IdnHost.Trim('[', ']').ToLowerInvariant();
        entry = entry.ToLowerInvariant();
        if (entry == "*")
        {
            return true;
        }

        if (IPNetwork.TryParse(entry, out var network))
        {
            return IPAddress.TryParse(host, out var inside) && network.Contains(inside);
        }

        if (entry.LastIndexOf(':') is var colon and > 0 && entry.IndexOf(':', StringComparison.Ordinal) == colon && int.TryParse(entry[(colon + 1)..], out var port))
        {
            if (port != url.Port)
            {
                return false;
            }

            entry = entry[..colon];
        }

        if (IPAddress.TryParse(entry.Trim('[', ']'), out var exact))
        {
            return IPAddress.TryParse(host, out var address) && address.Equals(exact);
        }

        entry = entry.StartsWith("*.", StringComparison.Ordinal) ? entry[1..] : entry;
        return entry.StartsWith('.') ? host.EndsWith(entry, StringComparison.Ordinal) : host == entry || host.EndsWith("." + entry, StringComparison.Ordinal);
    }

    [GeneratedRegex("(?im)^\\s*Environment=.*?\"?\\b(HTTPS_PROXY|HTTP_PROXY|NO_PROXY)=([^\"\\r\\n]*)")]
    private static partial Regex Assignment();

    [GeneratedRegex("(?im)^\\s*EnvironmentFile=-?(\\S+)")]
    private static partial Regex EnvironmentFile();

    [GeneratedRegex("(?im)^\\s*(?:export\\s+)?(HTTPS_PROXY|HTTP_PROXY|NO_PROXY)=([^\\r\\n]*)")]
    private static partial Regex Line();
}
