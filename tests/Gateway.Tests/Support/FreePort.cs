using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gateway.Tests.Support;

/// <summary>TCP ports for servers that must be told theirs before they start.</summary>
/// <remarks>
/// Below those that the kernel gives to connections and to listeners on port 0, any of which, of this process or of
/// another suite that runs beside it, could take the port before the server does. No process gives a port twice, and
/// each begins somewhere else.
/// </remarks>
internal static class FreePort
{
    private const int Lowest = 12_000;

    // "32768\t60999" where nobody changed it; where somebody left too little below, the kernel's choice has to do.
    private static readonly int Count = int.Parse(
        File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split('\t')[0],
        CultureInfo.InvariantCulture) - Lowest;

    private static int _last = Random.Shared.Next(ushort.MaxValue);

    /// <summary>A port on which nothing listens at this moment, on any address.</summary>
    public static int Next()
    {
        for (var attempt = 0; attempt < Count; attempt++)
        {
            var port = Lowest + (Interlocked.Increment(ref _last) % Count);
            if (TryListen(port) is { } free)
            {
                return free;
            }
        }

        return TryListen(0) ?? throw new InvalidOperationException("no TCP port of this machine is free");
    }

    private static int? TryListen(int port)
    {
        using var listener = new TcpListener(IPAddress.Any, port);
        try
        {
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
