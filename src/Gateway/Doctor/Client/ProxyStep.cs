using System.Net.Sockets;

namespace Gateway.Doctor.Client;

/// <summary>Which proxies each client uses for the registry, whether they agree, and whether the proxy lets them through.</summary>
internal static class ProxyStep
{
    /// <summary>Looks.</summary>
    public static async Task<bool> LookAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        var (question, machine, diagnosis) = (visit.Question, visit.Question.Machine, visit.Diagnosis);
        List<ProxySettings> all = [ProxySettings.OfEnvironment(machine)];
        if (machine.Has("/etc/docker") || machine.HasProgram("dockerd"))
        {
            all.Add(ProxySettings.OfService(machine, "docker", "dockerd"));
        }

        if (machine.Has("/etc/containerd") || machine.HasProgram("containerd"))
        {
            all.Add(ProxySettings.OfService(machine, "containerd", "containerd"));
        }

        foreach (var settings in all)
        {
            foreach (var entry in settings.IdleExemptions(question.Url))
            {
                diagnosis.Warn("PRX003", $"{settings.Client} ({settings.Source})", $"NO_PROXY has \"{entry}\", which exempts nothing", $"NO_PROXY={question.Host}");
            }
        }

        var proxies = all.ToDictionary(static settings => settings, settings => settings.For(question.Url));
        if (proxies.Values.Distinct(StringComparer.Ordinal).Count() > 1)
        {
            diagnosis.Warn("PRX002", question.Name, string.Join("; ", proxies.Select(static pair => $"{pair.Key.Client}: {Show(pair.Value)}{(pair.Key.Source.Length > 0 ? $" ({pair.Key.Source})" : "")}")));
        }

        // docker pulls and pushes by its daemon, so that one's way is the one to look at.
        var chosen = all.Find(static settings => settings.Client == "dockerd") ?? all[0];
        if (proxies[chosen] is not { } text)
        {
            diagnosis.Pass("PRX", question.Name, "it is reached without a proxy");
            return true;
        }

        if (!Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out var proxy))
        {
            diagnosis.Error("PRX004", chosen.Source, $"\"{DoctorText.OneLine(text)}\" is no address of a proxy");
            return false;
        }

        visit.Route = new Route(proxy);
        try
        {
            await using var stream = await visit.Route.ConnectAsync(question.Host, question.Url.Port, cancellationToken);
            diagnosis.Inform("PRX001", question.Name, $"{chosen.Client} reaches it through {Show(text)} ({chosen.Source})");
            return true;
        }
        catch (Exception exception) when (exception is SocketException or IOException or TimeoutException or ProxyRefusalException)
        {
            diagnosis.Error("PRX004", $"{chosen.Client} ({chosen.Source})", $"{Show(text)}: {DoctorText.Of(exception)}");
            return false;
        }
    }

    // A proxy's address may hold a password.
    private static string Show(string? proxy) => proxy is null ? "no proxy"
        : proxy.LastIndexOf('@') is var at and >= 0 ? string.Concat(proxy.AsSpan(0, proxy.IndexOf("//", StringComparison.Ordinal) is var start and >= 0 ? start + 2 : 0), "…", proxy.AsSpan(at))
        : proxy;
}
