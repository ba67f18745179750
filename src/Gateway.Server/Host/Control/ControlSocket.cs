#pragma warning disable CA1416 // the gateway runs on Linux
using System.Net.Sockets;
using System.Text;
using Gateway.Foundation.Files;
using Gateway.Server.Host.Configuration;

namespace Gateway.Server.Host.Control;

/// <summary>
/// The socket in the state folder by which commands on the same machine ask the running gateway. Those who may read
/// that folder may use it: nothing of it can be reached over a network.
/// </summary>
internal static class ControlSocket
{
    /// <summary>Its name in the state folder.</summary>
    public const string FileName = "control.sock";

    private const int LongestPath = 107; // sun_path of unix(7), without its end
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Where it is.</summary>
    public static string PathOf(GatewayOptions options) => Path.Combine(options.State.Folder, FileName);

    /// <summary>Makes room for it: removes what a gateway that was killed left behind.</summary>
    /// <returns>Why there can be none; <see langword="null"/> where there can.</returns>
    public static string? Prepare(string path)
    {
        if (Encoding.UTF8.GetByteCount(path) > LongestPath)
        {
            return $"its path is longer than {LongestPath} bytes";
        }

        try
        {
            DurableFolder.Create(Path.GetDirectoryName(path)!, OwnerOnly | UnixFileMode.UserExecute);
            if (IsServed(path))
            {
                return "another gateway with the same state folder already listens there";
            }

            File.Delete(path);
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Bind(new UnixDomainSocketEndPoint(path)); // a file system may know no sockets
            File.Delete(path);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or SocketException)
        {
            return exception.Message;
        }
    }

    /// <summary>Whether a gateway listens there. Nobody does behind what a killed one left.</summary>
    public static bool IsServed(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Closes it to all but the owner, whatever the process's umask says.</summary>
    public static void Protect(string path)
    {
        if (File.Exists(path))
        {
            File.SetUnixFileMode(path, OwnerOnly);
        }
    }

    /// <summary>A client of the gateway that listens there.</summary>
    public static HttpClient CreateClient(string path) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    })
    {
        BaseAddress = new Uri("http://control"),
        Timeout = Timeout,
    };
}
