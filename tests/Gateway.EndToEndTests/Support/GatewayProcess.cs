using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// The built <c>gateway serve</c>, as an operator runs it: own folder, own certificate, real TLS. Dispose stops it.
/// </summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    /// <summary>What its log is called.</summary>
    public const string Name = "gateway";

    private const int Attempts = 3;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(40);

    // Made once for the users that nearly all are started with: each takes a process and a hash that is slow on
    // purpose.
    private static readonly ConcurrentDictionary<
        IReadOnlyDictionary<string, string>, Lazy<Task<(byte[] Content, UnixFileMode Mode)>>> UserFiles =
        new(ReferenceEqualityComparer.Instance);

    private readonly ServerProcess _process;
    private readonly GatewaySettings _settings;
    private readonly X509Certificate2 _authority;

    private GatewayProcess(ServerProcess process, GatewaySettings settings, string folder, int port, int managementPort)
    {
        _process = process;
        _settings = settings;
        Folder = folder;
        Port = port;
        Management = new Uri($"http://127.0.0.1:{managementPort}");
        _authority = X509CertificateLoader.LoadCertificateFromFile(AuthorityFile);
    }

    /// <summary>The port of the TLS listener.</summary>
    public int Port { get; }

    /// <summary>What clients call it: <c>registry.gateway.test:PORT</c>.</summary>
    public string Authority => $"{_settings.Host}:{_settings.PublicPort ?? Port}";

    /// <summary>The address clients use.</summary>
    public Uri PublicUrl => new($"https://{Authority}");

    /// <summary>The management listener's address.</summary>
    public Uri Management { get; }

    /// <summary>
    /// The folder with <c>gateway.yaml</c>, <c>policies/</c>, <c>users.htpasswd</c> and <c>certs/</c>.
    /// </summary>
    public string Folder { get; }

    /// <summary>The certificate that clients must trust, PEM.</summary>
    public string AuthorityFile => Path.Combine(Folder, "certs", "ca.crt");

    /// <summary>The certificate that it shows, PEM.</summary>
    public string CertificateFile => Path.Combine(Folder, "certs", "tls.crt");

    /// <summary>The key of <see cref="CertificateFile"/>, PEM.</summary>
    public string CertificateKeyFile => Path.Combine(Folder, "certs", "tls.key");

    /// <summary>The file with its users.</summary>
    public string UsersFile => Path.Combine(Folder, "users.htpasswd");

    /// <summary>The configuration file.</summary>
    public string ConfigurationFile => Path.Combine(Folder, "gateway.yaml");

    /// <summary>What it has logged so far.</summary>
    public string Log => _process.Log;

    /// <summary>The operating system's id of the process.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Sends it SIGTERM, waits for its end and gives its exit code; it is killed after 40 seconds.</summary>
    public async Task<int> TerminateAsync()
    {
        await _process.StopAsync();
        return _process.ExitCode;
    }

    /// <summary>Runs the built command to its end, for example <c>user add</c>.</summary>
    public static Task<CliResult> RunCommandAsync(IEnumerable<string> arguments, CliSettings? settings = null) =>
        Cli.RunAsync("dotnet", [Program, .. arguments], settings);

    /// <summary>
    /// Writes the configuration, makes certificate and users, starts the program and waits until it is ready.
    /// </summary>
    /// <exception cref="InvalidOperationException">It did not get ready; the message has its log.</exception>
    public static async Task<GatewayProcess> StartAsync(GatewaySettings settings)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-").FullName;
        try
        {
            (await RunCommandAsync(["dev-cert", "--out", Path.Combine(folder, "certs"), "--name", settings.Host]))
                .Succeeded();
            var (users, mode) = await UserFiles.GetOrAdd(
                settings.Users,
                static users => new Lazy<Task<(byte[], UnixFileMode)>>(() => MakeUsersAsync(users))).Value;
            await File.WriteAllBytesAsync(Path.Combine(folder, "users.htpasswd"), users);
            File.SetUnixFileMode(Path.Combine(folder, "users.htpasswd"), mode);
            Directory.CreateDirectory(Path.Combine(folder, "policies"));
            await File.WriteAllTextAsync(Path.Combine(folder, "policies", "policy.yaml"), settings.Policy);
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await LaunchAsync(settings, folder);
                }
                catch (InvalidOperationException exception)
                    when (attempt < Attempts && exception.Message.Contains("in use", StringComparison.Ordinal))
                {
                    // Another process took the free port first: take others.
                }
            }
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>
    /// A client that trusts the gateway's authority only and reaches the gateway under its host name without DNS.
    /// </summary>
    /// <param name="user">Whose name and password it sends; none: nobody's.</param>
    public HttpClient CreateClient(string? user = null)
    {
        var client = new HttpClient(CreateHandler(_authority)) { BaseAddress = PublicUrl };
        if (user is not null)
        {
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{_settings.Users[user]}")));
        }

        return client;
    }

    /// <summary>
    /// Leads to the gateway's listener, whatever the name or port in the URL, and trusts one authority only.
    /// </summary>
    internal SocketsHttpHandler CreateHandler(X509Certificate2 authority)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Parse(_settings.ListenAddress), Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { authority },
        };
        return handler;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _process.DisposeAsync();
        }
        finally
        {
            _authority.Dispose();
            Directory.Delete(Folder, recursive: true);
        }
    }

    // The project reference puts the built program beside the tests.
    private static string Program => Path.Combine(AppContext.BaseDirectory, "gateway.dll");

    private static async Task<(byte[] Content, UnixFileMode Mode)> MakeUsersAsync(
        IReadOnlyDictionary<string, string> users)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-users-").FullName;
        try
        {
            var file = Path.Combine(folder, "users.htpasswd");
            foreach (var (name, password) in users)
            {
                Secrets.Know(name, password);
                string[] add = ["user", "add", name, "--file", file];
                (await RunCommandAsync(add, new CliSettings { Input = password + "\n" })).Succeeded();
            }

            return (await File.ReadAllBytesAsync(file), File.GetUnixFileMode(file));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<GatewayProcess> LaunchAsync(GatewaySettings settings, string folder)
    {
        var port = TestPaths.FreePort();
        var managementPort = TestPaths.FreePort();
        var configuration = Path.Combine(folder, "gateway.yaml");
        await File.WriteAllTextAsync(configuration, settings.ToYaml(port, managementPort));
        var start = new ProcessStartInfo("dotnet", [Program, "serve", "--config", configuration]);
        // Everything there is to write, which is searched for secrets at the end.
        start.Environment["GATEWAY__Log__Level"] = "trace";
        foreach (var (name, value) in settings.Environment)
        {
            start.Environment[name] = value;
        }

        var process = ServerProcess.Start(Name, start, Path.Combine(folder, "gateway.log"), StopTimeout);
        try
        {
            using var client = new HttpClient();
            var ready = new Uri($"http://127.0.0.1:{managementPort}/readyz");
            await process.WaitUntilReadyAsync(() => AnswersOkAsync(client, ready), StartTimeout);
            return new GatewayProcess(process, settings, folder, port, managementPort);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    private static async Task<bool> AnswersOkAsync(HttpClient client, Uri address)
    {
        try
        {
            using var answer = await client.GetAsync(address);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }
}

/// <summary>What a <see cref="GatewayProcess"/> is started with.</summary>
internal sealed record GatewaySettings
{
    /// <summary>The sample users of the tests, as the design names them.</summary>
    public static readonly IReadOnlyDictionary<string, string> SampleUsers = new Dictionary<string, string>
    {
        ["admin"] = "admin-password-1",
        ["alice"] = "alice-password-1",
        ["bob"] = "bob-password-1",
    };

    /// <summary>The rights of the sample users, as the design names them.</summary>
    public const string SamplePolicy = """
        groups:
          team-a: [alice]
        rules:
          - name: admin owns everything
            to: [ user:admin ]
            role: owner
            on: [ "**" ]
          - name: team-a writes its repositories
            to: [ group:team-a ]
            role: writer
            on: [ "team-a/**" ]
          - name: bob reads team-a
            to: [ user:bob ]
            role: reader
            on: [ "team-a/**" ]
          - name: bob writes team-b
            to: [ user:bob ]
            role: writer
            on: [ "team-b/**" ]
          - name: anybody pulls what is public
            to: [ anonymous, authenticated ]
            role: reader
            on: [ "public/**" ]
        """;

    /// <summary>The base URL of the registry behind it.</summary>
    public required Uri Upstream { get; init; }

    /// <summary>The name clients use.</summary>
    public string Host { get; init; } = TrustedHost.Name;

    /// <summary>
    /// The address to listen on; <see cref="TrustedHost"/> has one for clients that treat 127.0.0.1 specially.
    /// </summary>
    public string ListenAddress { get; init; } = "127.0.0.1";

    /// <summary>The port in its public URL, where something stands before it; none: its own.</summary>
    public int? PublicPort { get; init; }

    /// <summary>User names and their passwords.</summary>
    public IReadOnlyDictionary<string, string> Users { get; init; } = SampleUsers;

    /// <summary>The text of the one policy file.</summary>
    public string Policy { get; init; } = SamplePolicy;

    /// <summary>Further settings of <c>authentication</c>, in flow style with a comma before each.</summary>
    public string MoreAuthentication { get; init; } = "";

    /// <summary>Further settings of <c>authentication.htpasswd</c>, in flow style with a comma before each.</summary>
    public string MoreHtpasswd { get; init; } = "";

    /// <summary>Further top-level sections of <c>gateway.yaml</c>.</summary>
    public string MoreYaml { get; init; } = "";

    /// <summary>Further environment variables.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    internal string ToYaml(int port, int managementPort) => string.Create(CultureInfo.InvariantCulture, $$"""
        publicUrl: https://{{Host}}:{{PublicPort ?? port}}
        listen: { https: "{{ListenAddress}}:{{port}}", management: "127.0.0.1:{{managementPort}}" }
        tls: { certificates: [ { certificate: certs/tls.crt, key: certs/tls.key } ] }
        registries: [ { name: main, upstreams: [ "{{Upstream}}" ] } ]
        authentication: { htpasswd: { file: users.htpasswd{{MoreHtpasswd}} }{{MoreAuthentication}} }
        policies: policies/
        {{MoreYaml}}
        """);
}
