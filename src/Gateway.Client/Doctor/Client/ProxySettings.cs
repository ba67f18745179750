using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Gateway.Client.Doctor.Client;

/// <summary>The proxies that one client uses, and where they are set.</summary>
/// <param name="Client">The client: <c>the shell</c>, <c>dockerd</c>.</param>
/// <param name="Source">Where they are set; empty if there are none.</param>
/// <param name="Https">For https; <see langword="null"/>: none.</param>
/// <param name="Http">For http.</param>
/// <param name="NoProxy">What is reached without a proxy, as written.</param>
internal sealed record ProxySettings(string Client, string Source, string? Https, string? Http, string? NoProxy)
{
    /// <summary>
    /// The proxy for a URL; <see langword="null"/> if it is reached directly. As Go's net/http decides
    /// (golang.org/x/net/http/httpproxy), which docker, containerd, podman, skopeo, buildkit and oras use.
    /// </summary>
    public string? For(Uri url) =>
        (url.Scheme == "https" ? Https : Http) is { Length: > 0 } proxy && !IsExempt(url) ? proxy : null;

    /// <summary>Entries of NO_PROXY that name the host but exempt nothing, because of their form.</summary>
    public IEnumerable<string> IdleExemptions(Uri url)
    {
        var host = url.IdnHost.Trim('[', ']');
        return (NoProxy ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(entry => entry.Contains(host, StringComparison.OrdinalIgnoreCase) && !Exempts(entry, url));
    }

    /// <summary>The proxies of the environment, as Go reads them: upper case first.</summary>
    public static ProxySettings OfEnvironment(ClientMachine machine)
    {
        string? Any(string name) =>
            machine.Variable(name.ToUpperInvariant()) ?? machine.Variable(name.ToLowerInvariant());
        var (https, http) = (Any("https_proxy"), Any("http_proxy"));
        return new ProxySettings(
            "the shell, and with it podman, skopeo and buildah", https is null && http is null ? "" : "its environment",
            https, http, Any("no_proxy"));
    }

    /// <summary>
    /// The proxies that docker's client puts into the containers that it starts (<c>proxies.default</c> of its
    /// config.json). It uses none of them itself, and neither does dockerd; <see langword="null"/> where there are
    /// none.
    /// </summary>
    public static ProxySettings? OfDockerClient(ClientMachine machine)
    {
        var file = ClientFiles.DockerFileOf(machine);
        if (machine.ReadJson(file, out _) is not { } config || Member(config, "proxies") is not { } proxies
            || Member(proxies, "default") is not { ValueKind: JsonValueKind.Object } values)
        {
            return null;
        }

        string? Text(string name) =>
            Member(values, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
        return new ProxySettings(
            "containers that docker starts", file, Text("httpsProxy"), Text("httpProxy"), Text("noProxy"));

        static JsonElement? Member(JsonElement element, string name) =>
            element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;
    }

    /// <summary>The proxies of a daemon that systemd starts, and that may have a file of its own.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="service"><c>docker</c>, <c>containerd</c>.</param>
    /// <param name="client">The client's name.</param>
    public static ProxySettings OfService(ClientMachine machine, string service, string client)
    {
        var environment = SystemdEnvironment.Read(machine, service);
        List<string> sources = [.. environment.SourcesOf(["https_proxy", "http_proxy", "no_proxy"])];
        string? Any(string name) => environment.Value(name.ToUpperInvariant()) ?? environment.Value(name);
        var (https, http, noProxy) = (Any("https_proxy"), Any("http_proxy"), Any("no_proxy"));

        // Those of daemon.json override the environment (dockerd, "proxies").
        if (service == "docker" && machine.ReadJson("/etc/docker/daemon.json", out _) is { } daemon
            && daemon.TryGetProperty("proxies", out var proxies)
            && proxies.ValueKind == System.Text.Json.JsonValueKind.Object)
        {
            string? Text(string name) =>
                proxies.TryGetProperty(name, out var value) && value.ValueKind == System.Text.Json.JsonValueKind.String
                && value.GetString() is { Length: > 0 } text ? text : null;
            (https, http, noProxy) =
                (Text("https-proxy") ?? https, Text("http-proxy") ?? http, Text("no-proxy") ?? noProxy);
            sources.Add("/etc/docker/daemon.json");
        }

        return new ProxySettings(client, string.Join(", ", sources.Distinct()), https, http, noProxy);
    }

    private bool IsExempt(Uri url)
    {
        var host = url.IdnHost.Trim('[', ']');
        return host == "localhost"
            || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address))
            || (NoProxy ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Any(
                entry => Exempts(entry, url));
    }

    // golang.org/x/net/http/httpproxy, (*config).init and the matchers, case by case.
    private static bool Exempts(string entry, Uri url)
    {
        var host = url.IdnHost.Trim('[', ']').ToLowerInvariant();
        entry = entry.ToLowerInvariant();
        if (entry == "*")
        {
            return true;
        }

        var isAddress = TryParseAddress(host, out var address);
        if (TryParseNetwork(entry, out var network))
        {
            return isAddress && network.Contains(address!);
        }

        var (name, port) = SplitPort(entry);
        if (name.Length == 0 || (port.Length > 0 && port != url.Port.ToString(CultureInfo.InvariantCulture)))
        {
            return false;
        }

        if (TryParseAddress(name, out var exact))
        {
            return isAddress && Plain(exact!).Equals(Plain(address!));
        }

        // A domain never matches the numbers of an address.
        name = name.StartsWith("*.", StringComparison.Ordinal) ? name[1..] : name;
        return name.StartsWith('.')
            ? host.EndsWith(name, StringComparison.Ordinal)
            : host == name || host.EndsWith("." + name, StringComparison.Ordinal);
    }

    /// <summary>Reads a network as Go does: the address before the slash may be any of it.</summary>
    public static bool TryParseNetwork(string text, out IPNetwork network)
    {
        network = default;
        if (text.Split('/') is not [var first, var length] || !TryParseAddress(first, out var address)
            || !int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var bits))
        {
            return false;
        }

        var bytes = address!.GetAddressBytes();
        if (bits > bytes.Length * 8)
        {
            return false;
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] &= (byte)(0xFF << (8 - Math.Clamp(bits - (i * 8), 0, 8)));
        }

        network = new IPNetwork(new IPAddress(bytes), bits);
        return true;
    }

    // Go's net.SplitHostPort; if it fails, the whole entry is the name.
    private static (string Name, string Port) SplitPort(string entry)
    {
        var colon = entry.LastIndexOf(':');
        if (colon < 0)
        {
            return (entry, "");
        }

        var (name, port) = (entry[..colon], entry[(colon + 1)..]);
        if (name.StartsWith('['))
        {
            return name.EndsWith(']') && name.IndexOf(']', StringComparison.Ordinal) == name.Length - 1
                && !port.Contains(']', StringComparison.Ordinal) ? (name[1..^1], port) : (entry, "");
        }

        return entry.AsSpan().ContainsAny('[', ']') || name.Contains(':', StringComparison.Ordinal)
            ? (entry, "")
            : (name, port);
    }

    // Only what Go's net.ParseIP accepts: "1" and "0x7f.1" are names.
    private static bool TryParseAddress(string text, out IPAddress? address)
    {
        address = null;
        return (text.Contains(':', StringComparison.Ordinal)
                ? !text.AsSpan().ContainsAny('%', '[', ']')
                : text.Split('.') is { Length: 4 } parts
                && parts.All(
                    static part => part.Length is > 0 and < 4 && part.All(char.IsAsciiDigit)
                        && (part.Length == 1 || part[0] != '0')))
            && IPAddress.TryParse(text, out address);
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
