using Gateway.Foundation.Configuration;

namespace Gateway.Server.Host.Hosting;

/// <summary>Rules of the <c>listen</c> section.</summary>
internal static class ListenerOptionsValidator
{
    /// <summary>Reports what is wrong.</summary>
    public static void Validate(ListenerOptions options, SettingScope scope)
    {
        var listeners = new List<(ListenAddress Address, SettingScope Scope)>();
        Check(options.Https, scope.At(nameof(options.Https)), listeners);
        if (options.Http is not null)
        {
            Check(options.Http, scope.At(nameof(options.Http)), listeners);
        }
        else if (options.HttpHealth && !scope.At(nameof(options.Http)).IsBroken)
        {
            scope.At(nameof(options.HttpHealth)).Report(
                "requires a plain-HTTP listener", "Set listen.http, for example \"*:8080\", or remove it.");
        }

        if (options.Management.Length > 0)
        {
            Check(options.Management, scope.At(nameof(options.Management)), listeners);
        }

        var hosts = scope.At(nameof(options.ManagementHosts));
        for (var i = 0; i < options.ManagementHosts.Count; i++)
        {
            if (!HostName.TryParse(options.ManagementHosts[i], out var host) || host.Port is not null)
            {
                hosts.At(i).Report(
                    "is not a host name",
                    "Write only the name, for example \"gateway\", without a scheme, port or \"*\".");
            }
        }
    }

    private static void Check(
        string text, SettingScope scope, List<(ListenAddress Address, SettingScope Scope)> listeners)
    {
        if (!ListenAddress.TryParse(text, out var address))
        {
            scope.Report(
                "is not an address to listen on",
                "Write address and port: \"*:8443\", \"127.0.0.1:8443\" or \"[::1]:8443\", in quotes.");
            return;
        }

        foreach (var other in listeners)
        {
            if (address.CollidesWith(other.Address))
            {
                scope.Report($"uses the same port as {other.Scope.Key} (\"{other.Address}\")", "Choose another port.");
                return;
            }
        }

        listeners.Add((address, scope));
    }
}
