using System.Net;
using System.Net.Sockets;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Host.Hosting;

/// <summary>
/// Whether the configured addresses can be listened on, asked before anything is opened: Kestrel says the same in a
/// page of stack traces, and late.
/// </summary>
internal static class ListenerProbe
{
    /// <summary>One problem a listener that cannot be.</summary>
    /// <param name="options">The listeners, validated.</param>
    /// <param name="file">The configuration file, for the messages.</param>
    public static IReadOnlyList<Problem> FindProblems(ListenerOptions options, string file) =>
    [
        .. new[]
        {
            ("listen.https", options.Https),
            ("listen.http", options.Http),
            ("listen.management", options.Management),
        }
            .Where(static listener => !string.IsNullOrEmpty(listener.Item2))
            .Select(listener => FindProblem(listener.Item1, ListenAddress.Parse(listener.Item2!), file))
            .OfType<Problem>(),
    ];

    private static Problem? FindProblem(string setting, ListenAddress address, string file)
    {
        var error = TryBind(address);
        var (what, fix) = error?.SocketErrorCode switch
        {
            null => (null, ""),
            SocketError.AddressAlreadyInUse => (
                "the port is in use",
                $"Stop what listens there (ss -ltnp 'sport = :{address.Port}' shows it), or set {setting} to another "
                    + "port."),
            SocketError.AccessDenied => (
                "no permission to listen on this port",
                $"Set {setting} to port 1024 or higher and map the clients' port to it, or grant CAP_NET_BIND_SERVICE "
                + "or sysctl net.ipv4.ip_unprivileged_port_start."),
            SocketError.AddressNotAvailable => (
                "this machine does not have the address",
                $"Set {setting} to one that \"ip address\" shows, or to *:{address.Port} for all of them."),
            _ => ($"the gateway cannot listen there: {error!.Message}", $"Set {setting} to another address."),
        };
        return what is null ? null : new Problem(file, $"{setting}: {what}", address.ToString(), fix);
    }

    // Bound, not listened on: nobody's connection is taken and then dropped. Bound in the way in which Kestrel does it.
    private static SocketException? TryBind(ListenAddress address)
    {
        if (address.Address is { } ip)
        {
            return TryBind(new IPEndPoint(ip, address.Port));
        }

        var error = TryBind(new IPEndPoint(IPAddress.IPv6Any, address.Port));
        return error is null or { SocketErrorCode: SocketError.AddressAlreadyInUse or SocketError.AccessDenied }
            ? error
            : TryBind(new IPEndPoint(IPAddress.Any, address.Port)); // a machine without IPv6
    }

    private static SocketException? TryBind(IPEndPoint endPoint)
    {
        try
        {
            using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (endPoint.Address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(endPoint);
            return null;
        }
        catch (SocketException exception)
        {
            return exception;
        }
    }
}
