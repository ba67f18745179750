using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Gateway.Client.Doctor.Client;

/// <summary>
/// Which proxy each client uses for the registry, whether they are the same, and whether the proxy connects.
/// </summary>
internal static class ProxyStep
{
    /// <summary>Runs the step.</summary>
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
                diagnosis.Warn(
                    "PRX003", $"{settings.Client} ({settings.Source})",
                    $"NO_PROXY has \"{entry}\", which has no effect", $"NO_PROXY={question.Host}");
            }
        }

        var proxies = all.ToDictionary(static settings => settings, settings => settings.For(question.Url));
        if (proxies.Values.Distinct(StringComparer.Ordinal).Count() > 1)
        {
            diagnosis.Warn(
                "PRX002", question.Name,
                string.Join(
                    "; ",
                    proxies.Select(
                        static pair =>
                            $"{pair.Key.Client}: {Show(pair.Value)}"
                            + $"{(pair.Key.Source.Length > 0 ? $" ({pair.Key.Source})" : "")}")));
        }

        if (all.Find(static settings => settings.Client == "dockerd") is { } daemon && proxies[daemon] is null
            && ProxySettings.OfDockerClient(machine) is { } forContainers
            && forContainers.For(question.Url) is { } idle)
        {
            diagnosis.Warn("PRX005", forContainers.Source, $"{Show(idle)}, but dockerd has no proxy");
        }

        // docker pulls and pushes through its daemon, so the daemon's proxies are the ones to check.
        var chosen = all.Find(static settings => settings.Client == "dockerd") ?? all[0];
        visit.Proxies = chosen;
        if (proxies[chosen] is not { } text)
        {
            diagnosis.Pass("PRX", question.Name, "clients connect to it without a proxy");
            return true;
        }

        return await TryProxyAsync(visit, chosen, text, cancellationToken);
    }

    private static async Task<bool> TryProxyAsync(
        ClientVisit visit, ProxySettings chosen, string text, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        if (!Route.TryParseProxy(text, out var proxy))
        {
            diagnosis.Error("PRX004", chosen.Source, $"\"{Show(text)}\" is not the address of a proxy");
            return false;
        }

        if (proxy.Scheme is not ("http" or "https"))
        {
            diagnosis.NotRun(
                "PRX", $"{chosen.Client} ({chosen.Source})",
                $"{Show(text)} is not an HTTP proxy, so the doctor cannot use it");
            return false;
        }

        HideLogin(diagnosis, proxy);
        visit.Route = new Route(proxy);
        try
        {
            await using var stream = await visit.Route.ConnectAsync(
                question.Host, question.Url.Port, cancellationToken);
            diagnosis.Inform(
                "PRX001", question.Name, $"{chosen.Client} connects to it through {Show(text)} ({chosen.Source})");
            return true;
        }
        catch (Exception exception)
            when (exception is SocketException or IOException or AuthenticationException or TimeoutException
                or ProxyRefusalException)
        {
            diagnosis.Error(
                "PRX004", $"{chosen.Client} ({chosen.Source})", $"{Show(text)}: {DoctorText.Of(exception)}");
            return false;
        }
    }

    private static void HideLogin(Diagnosis diagnosis, Uri proxy)
    {
        var password = proxy.UserInfo.Split(':', 2)[^1];
        diagnosis.Hide(password);
        diagnosis.Hide(Uri.UnescapeDataString(password));
        diagnosis.Hide(
            proxy.UserInfo.Length == 0
                ? null
                : Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(proxy.UserInfo))));
    }

    /// <summary>A proxy's address without the login that it may hold, however it is written.</summary>
    internal static string Show(string? proxy)
    {
        if (proxy is null)
        {
            return "no proxy";
        }

        var at = proxy.LastIndexOf('@');
        var scheme = proxy.IndexOf("://", StringComparison.Ordinal);
        if (at < 0)
        {
            return proxy;
        }

        var hasScheme = scheme > 0 && scheme < at && proxy.Take(scheme).All(char.IsAsciiLetterOrDigit);
        return $"{(hasScheme ? proxy[..(scheme + 3)] : "")}…{proxy[at..]}";
    }
}
