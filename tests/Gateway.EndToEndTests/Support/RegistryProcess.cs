using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Gateway.EndToEndTests.Support;

/// <summary>A real, unmodified <c>docker-registry</c> on a free loopback port, with its own storage.</summary>
public sealed class RegistryProcess : IAsyncDisposable
{
    // Another build of the registry, such as a 3.x that Debian does not have: GATEWAY_TEST_REGISTRY=/path/to/registry.
    private static readonly string Program =
        Environment.GetEnvironmentVariable("GATEWAY_TEST_REGISTRY") is { Length: > 0 } other
            ? other
            : "docker-registry";

    private const int Attempts = 5;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly string _folder;
    private readonly Task _output;

    private RegistryProcess(Process process, string folder, int port, Task output)
    {
        _process = process;
        _folder = folder;
        _output = output;
        Port = port;
    }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The address, <c>http://127.0.0.1:PORT</c>.</summary>
    public Uri Address => new($"http://127.0.0.1:{Port}");

    /// <summary>The operating system's id of the process.</summary>
    public int ProcessId => _process.Id;

    /// <summary>The folder that holds one folder a repository, as the registry's storage lays it out.</summary>
    public string RepositoriesFolder => Path.Combine(_folder, "data", "docker", "registry", "v2", "repositories");

    /// <summary>Writes the configuration, starts the program and waits until it answers.</summary>
    /// <param name="settings">
    /// What differs from a plain registry with deletes enabled and without authentication.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="InvalidOperationException">Not installed, or not ready; the message has its log.</exception>
    public static async Task<RegistryProcess> StartAsync(
        RegistrySettings? settings = null, CancellationToken cancellationToken = default)
    {
        settings ??= new RegistrySettings();
        for (var attempt = 1; ; attempt++)
        {
            // The port is free now, but another process may take it before the registry listens: hence the attempts.
            var port = TestPaths.FreePort();
            var log = new StartLog(settings.OnLogLine);
            var registry = Launch(settings, port, log);
            if (await registry.IsReadyAsync(cancellationToken))
            {
                log.StopKeeping();
                return registry;
            }

            await registry.DisposeAsync();
            if (attempt == Attempts)
            {
                throw new InvalidOperationException(
                    $"docker-registry did not get ready on port {port}. Its log:\n{log.Text}");
            }
        }
    }

    /// <summary>Kills this process, and no other; its storage stays, and its whole log has been handed on.</summary>
    public async Task StopAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        await _output;
    }

    /// <summary>Stops it and removes its storage.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static RegistryProcess Launch(RegistrySettings settings, int port, StartLog log)
    {
        var folder = Path.Combine(
            settings.ParentFolder ?? Path.GetTempPath(), "gateway-registry-" + Path.GetRandomFileName());
        Directory.CreateDirectory(folder);
        var configuration = Path.Combine(folder, "config.yml");
        File.WriteAllText(configuration, settings.ToYaml(Path.Combine(folder, "data"), port));
        var start = new ProcessStartInfo(Program, ["serve", configuration])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in settings.Environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            var process = Process.Start(start)!;
            var output = Task.WhenAll(
                ReadLinesAsync(process.StandardError.BaseStream, log),
                ReadLinesAsync(process.StandardOutput.BaseStream, log));
            return new RegistryProcess(process, folder, port, output);
        }
        catch (Win32Exception ex)
        {
            Directory.Delete(folder, recursive: true);
            throw new InvalidOperationException(
                "docker-registry cannot be started: install it (apt-get install docker-registry)", ex);
        }
    }

    private static async Task ReadLinesAsync(Stream stream, StartLog log)
    {
        var buffer = new byte[64 * 1024];
        var filled = 0;
        int read;
        while ((read = await stream.ReadAsync(buffer.AsMemory(filled))) > 0)
        {
            filled += read;
            var start = 0;
            int length;
            while ((length = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0)
            {
                log.Add(buffer.AsSpan(start, length));
                start += length + 1;
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
            if (filled == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient();
        var started = Stopwatch.GetTimestamp();
        while (!_process.HasExited && Stopwatch.GetElapsedTime(started) < StartTimeout)
        {
            try
            {
                using var answer = await client.GetAsync(new Uri(Address, "/v2/"), cancellationToken);

                // Another process on the port would not be ours; ours says what it is.
                if (answer.Headers.Contains("Docker-Distribution-Api-Version") && !_process.HasExited)
                {
                    return true;
                }
            }
            catch (HttpRequestException)
            {
                // not listening yet
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25), cancellationToken);
        }

        return false;
    }

    // Keeps the first lines, so that a failed start can show them, and hands every line on.
    private sealed class StartLog(RegistryLogHandler? handler)
    {
        private readonly StringBuilder _text = new();
        private bool _keeping = true;

        public string Text
        {
            get
            {
                lock (_text)
                {
                    return _text.ToString();
                }
            }
        }

        public void StopKeeping() => Volatile.Write(ref _keeping, false);

        public void Add(ReadOnlySpan<byte> line)
        {
            if (Volatile.Read(ref _keeping))
            {
                lock (_text)
                {
                    _text.Append(Encoding.UTF8.GetString(line)).Append('\n');
                }
            }

            handler?.Invoke(line);
        }
    }
}

/// <summary>
/// Takes one line of the registry's log, without its line end. Called from one thread at a time per stream.
/// </summary>
public delegate void RegistryLogHandler(ReadOnlySpan<byte> line);

/// <summary>How a <see cref="RegistryProcess"/> differs from a plain one.</summary>
public sealed record RegistrySettings
{
    /// <summary><c>storage.delete.enabled</c>.</summary>
    public bool DeleteEnabled { get; init; } = true;

    /// <summary><c>http.relativeurls</c>: answer with a path-only <c>Location</c>.</summary>
    public bool RelativeUrls { get; init; }

    /// <summary><c>log.level</c>: error, warn, info or debug. Lines are JSON objects.</summary>
    public string LogLevel { get; init; } = "warn";

    /// <summary><c>http.secret</c>, which replicas must share.</summary>
    public string Secret { get; init; } = "registry-test-secret";

    /// <summary>The <c>auth</c> section's lines, indented by two spaces; none, if the registry asks nobody.</summary>
    public string? AuthenticationYaml { get; init; }

    /// <summary>Further top-level sections, as YAML.</summary>
    public string? MoreYaml { get; init; }

    /// <summary>Where its folder is made; the system's folder for temporary files unless set.</summary>
    public string? ParentFolder { get; init; }

    /// <summary>Environment variables on top of this process's own.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Is called with every line of the log.</summary>
    public RegistryLogHandler? OnLogLine { get; init; }

    internal string ToYaml(string dataFolder, int port)
    {
        var yaml = new StringBuilder().Append(CultureInfo.InvariantCulture, $$"""
            version: 0.1
            log:
              level: {{LogLevel}}
              formatter: json
              accesslog:
                disabled: true
            storage:
              filesystem:
                rootdirectory: {{dataFolder}}
              delete:
                enabled: {{(DeleteEnabled ? "true" : "false")}}
              maintenance:
                uploadpurging:
                  enabled: false
            http:
              addr: 127.0.0.1:{{port}}
              secret: {{Secret}}
              relativeurls: {{(RelativeUrls ? "true" : "false")}}

            """);
        if (AuthenticationYaml is not null)
        {
            yaml.Append("auth:\n").Append(AuthenticationYaml.TrimEnd()).Append('\n');
        }

        return yaml.Append(MoreYaml).ToString();
    }
}
