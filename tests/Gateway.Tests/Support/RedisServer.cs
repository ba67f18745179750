using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Gateway.Server.Requests.Redis;

namespace Gateway.Tests.Support;

/// <summary>
/// A real <c>redis-server</c> on a free loopback port, with its own folder; append-only unless told otherwise.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private const int Attempts = 5;

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-redis-").FullName;
    private readonly string[] _arguments;
    private readonly bool _tls;
    private readonly string[] _command;
    private string[]? _sentinel; // its configuration, instead of arguments
    private Process? _process;

    private RedisServer(string[] arguments, params string[] command)
    {
        _arguments = arguments;
        _tls = arguments.Contains("--tls-cert-file");
        _command = command.Length > 0 ? command : ["redis-server"];
    }

    public int Port { get; private set; }

    public RedisOptions Options => new()
    {
        Server = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}"),
        Timeout = TimeSpan.FromSeconds(5), // the machine may be busy; tests of the budget set their own
    };

    /// <summary>Starts a server and waits until it listens.</summary>
    /// <param name="arguments">
    /// On top of a port, a folder and <c>appendonly yes</c>; the last of the same name counts.
    /// </param>
    public static Task<RedisServer> StartAsync(params string[] arguments) => StartAsync(Prepare(arguments));

    /// <summary>Starts a Sentinel.</summary>
    /// <param name="configuration">Lines of its file, on top of a port and a folder.</param>
    public static Task<RedisServer> StartSentinelAsync(params string[] configuration)
    {
        var server = Prepare();
        server._sentinel = configuration;
        return StartAsync(server);
    }

    /// <summary>Starts a server of a later Debian, or Valkey.</summary>
    /// <param name="command">The program, with what has to stand before its own arguments.</param>
    /// <param name="arguments">As of <see cref="StartAsync(string[])"/>.</param>
    public static Task<RedisServer> StartProgramAsync(string[] command, params string[] arguments) =>
        StartAsync(new RedisServer(arguments, command) { Port = FreePort.Next() });

    private static async Task<RedisServer> StartAsync(RedisServer server)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await server.StartAgainAsync();
                return server;
            }
            catch (InvalidOperationException) when (attempt < Attempts)
            {
                server.Port = FreePort.Next(); // another process took it first
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>Chooses a port, on which nothing listens until <see cref="StartAgainAsync"/>.</summary>
    public static RedisServer Prepare(params string[] arguments) => new(arguments) { Port = FreePort.Next() };

    /// <summary>Starts it, or starts it again on the same port with what it kept.</summary>
    /// <param name="arguments">On top of its own.</param>
    public async Task StartAgainAsync(params string[] arguments)
    {
        string[] listen = _tls
            ? ["--port", "0", "--tls-port", Port.ToString(CultureInfo.InvariantCulture), "--tls-auth-clients", "no"]
            : ["--port", Port.ToString(CultureInfo.InvariantCulture)];
        string[] all =
        [
            .. listen, "--bind", "127.0.0.1", "--dir", _folder, "--save", "", "--appendonly", "yes", .. _arguments,
            .. arguments,
        ];
        if (_sentinel is not null)
        {
            var file = Path.Combine(_folder, "sentinel.conf");
            await File.WriteAllLinesAsync(file,
                [
                    string.Create(CultureInfo.InvariantCulture, $"port {Port}"), "bind 127.0.0.1", $"dir {_folder}",
                    .. _sentinel,
                ]);
            all = [file, "--sentinel"];
        }

        var start = new ProcessStartInfo(_command[0], [.. _command[1..], .. all])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        try
        {
            _process = Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new NotSupportedException(
                "redis-server cannot be started: install it (apt-get install redis-server)", exception);
        }

        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal)
                || line.Contains("+monitor master", StringComparison.Ordinal))
            {
                _ = _process.StandardOutput.ReadToEndAsync(); // so that it never waits for somebody to read
                return;
            }
        }

        throw new InvalidOperationException($"redis-server ended before it listened on port {Port}");
    }

    /// <summary>Ends it as a power cut would.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Sends a signal: STOP makes it hang, CONT goes on.</summary>
    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", ["-" + name, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Runs <c>redis-cli</c> against it and gives its output.</summary>
    public async Task<string> CommandAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(
            "redis-cli", ["-p", Port.ToString(CultureInfo.InvariantCulture), .. arguments])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output.TrimEnd();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
