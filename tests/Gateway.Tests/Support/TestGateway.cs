using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Hosting;
using Gateway.Server.Registry.Uploads;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Support;

/// <summary>
/// The whole gateway in this process: real Kestrel, TLS, htpasswd and policies, in front of given upstreams.
/// </summary>
/// <remarks>Users: admin, alice (group team-a), bob; each one's password is the name followed by "-password".</remarks>
internal sealed class TestGateway : IAsyncDisposable
{
    public const string Host = "registry.test";

    /// <summary>
    /// Stands for empty Basic credentials: "I am anonymous", as podman says it to a registry that asks.
    /// </summary>
    public const string Nobody = "";

    public const string DefaultPolicy = """
        groups: { team-a: [alice] }
        rules:
          - { name: admin owns everything, to: ["user:admin"], role: owner, on: ["**"] }
          - { name: team-a writes, to: ["group:team-a"], role: writer, on: ["team-a/**"] }
          - { name: bob reads, to: ["user:bob"], role: reader, on: ["team-a/**"] }
          - { name: everybody pulls public, to: [anonymous, authenticated], role: reader, on: ["public/**"] }
        """;

    // Cost 4, the least there is: these tests are about forwarding, not about hashing.
    private static readonly Lazy<string> Users = new(
        static () => string.Join('\n', new[] { "admin", "alice", "bob" }.Select(
        static name => name + ":" + TestUsers.Hash(name + "-password"))) + "\n");

    private readonly WebApplication _app;
    private readonly string _folder;

    private TestGateway(WebApplication app, string folder)
    {
        _app = app;
        _folder = folder;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Where(static address => !address.Contains("unix:", StringComparison.Ordinal)) // the control socket
            .Select(static address => new Uri(address)).ToList();
        Port = addresses.Single(static address => address.Scheme == "https").Port;
        PlainPorts = [
            .. addresses.Where(static address => address.Scheme == "http").Select(static address => address.Port),
        ];
        Client = CreateClient();
    }

    /// <summary>The TLS listener's port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The plain listeners' ports, in the order: redirecting, management.</summary>
    public IReadOnlyList<int> PlainPorts { get; }

    /// <summary>
    /// Connects to the gateway whatever host a URL names; neither follows redirects nor keeps cookies.
    /// </summary>
    public HttpClient Client { get; }

    public string PolicyFile => Path.Combine(_folder, "policies", "policy.yaml");

    public string UsersFile => Path.Combine(_folder, "users.htpasswd");

    public IServiceProvider Services => _app.Services;

    public static Task<TestGateway> StartAsync(
        Uri upstream,
        string policy = DefaultPolicy,
        Action<GatewayOptions>? change = null,
        Action<WebApplicationBuilder>? customize = null) =>
        StartAsync([new RegistryOptions { Name = "main", Upstreams = [upstream] }], policy, change, customize);

    public static async Task<TestGateway> StartAsync(
        List<RegistryOptions> registries,
        string policy = DefaultPolicy,
        Action<GatewayOptions>? change = null,
        Action<WebApplicationBuilder>? customize = null)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-test-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "policies"));
        await File.WriteAllTextAsync(Path.Combine(folder, "policies", "policy.yaml"), policy);
        await File.WriteAllTextAsync(Path.Combine(folder, "users.htpasswd"), Users.Value);
        var pair = TestCertificates.Write(folder, Host);
        var options = new GatewayOptions
        {
            PublicUrl = new Uri($"https://{Host}"),
            Listen = new ListenerOptions { Https = "127.0.0.1:0", Management = "" },
            Tls = new TlsOptions { Certificates = [pair] },
            Registries = registries,
            Authentication = new AuthenticationOptions
            {
                Htpasswd = new HtpasswdOptions { File = Path.Combine(folder, "users.htpasswd"), MinimumCost = 4 },
            },
            Policies = Path.Combine(folder, "policies"),
            State = new StateOptions { Folder = Path.Combine(folder, "state") },
            Log = new LogOptions { Level = Microsoft.Extensions.Logging.LogLevel.None },
        };
        change?.Invoke(options);
        try
        {
            var app = GatewayHost.Build(options, customize);
            await app.StartAsync();
            return new TestGateway(app, folder);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Sends one request; without a user it carries no credentials.</summary>
    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string target, string? user = null, HttpContent? content = null,
        params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, $"https://{Host}{target}") { Content = content };
        if (user is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", Basic(user));
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>The target of a started upload, with the ticket that the gateway gives its owner.</summary>
    /// <param name="user">Who began it; nobody: an anonymous caller.</param>
    /// <param name="repository">Its repository.</param>
    /// <param name="upload">Its id.</param>
    /// <param name="upstreamQuery">The query of the upstream's own <c>Location</c>.</param>
    public string UploadTarget(
        string? user, string repository = "team-a/app", string upload = "u", string upstreamQuery = "?_state=x")
    {
        var name = RepositoryName.Parse(repository);
        var registry = RegistryRouter.FindRegistry(Services.GetRequiredService<RegistryRouter>().PublicHost, name)!;
        var subject = user is null
            ? Subject.Anonymous
            : new Subject { Kind = SubjectKind.User, Name = user, Method = "htpasswd" };
        var ticket = new UploadTicket(
            UploadTicket.NameOf(subject), Services.GetRequiredService<TimeProvider>().GetUtcNow(), upstreamQuery);
        var text = Services.GetRequiredService<IUploadTickets>().Write(
            ticket, registry.Name, name,
            UploadId.TryParse(upload, out var id) ? id : throw new FormatException(upload));
        return $"/v2/{repository}/blobs/uploads/{upload}?_ticket={text}";
    }

    /// <summary>Opens a TLS connection for bytes that no HTTP client would send.</summary>
    public async Task<SslStream> ConnectAsync(SslApplicationProtocol? protocol = null)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, Port);
        var stream = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false);
        var options = TrustingOptions();
        options.ApplicationProtocols = protocol is { } only ? [only] : null;
        await stream.AuthenticateAsClientAsync(options);
        return stream;
    }

    /// <summary>Sends raw bytes and reads until the gateway closes the connection, or five seconds pass.</summary>
    public async Task<string> SendRawAsync(string request)
    {
        await using var stream = await ConnectAsync();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var answer = new MemoryStream();
        try
        {
            await stream.CopyToAsync(answer, limit.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // what came so far is the answer
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }

    /// <summary>The <c>Authorization</c> header of a test user, or of nobody.</summary>
    public static string Basic(string user) =>
        user == Nobody
            ? "Basic Og=="
            : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{user}-password"));

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
        await DeleteFolderAsync();
    }

    // A service that was just stopped may put one last file there while the folder is emptied.
    private async Task DeleteFolderAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
                return;
            }
            catch (IOException) when (attempt < 20)
            {
                await Task.Delay(50);
            }
        }
    }

    private SslClientAuthenticationOptions TrustingOptions(SslStreamCertificateContext? certificate = null)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.ImportFromPemFile(Path.Combine(_folder, "tls.crt"));
        return new SslClientAuthenticationOptions
        {
            TargetHost = Host,
            CertificateChainPolicy = policy,
            ClientCertificateContext = certificate,
        };
    }

    /// <summary>A client of its own, with connections of its own.</summary>
    /// <param name="certificate">What it shows in the handshake; <see langword="null"/>: nothing.</param>
    public HttpClient CreateClient(SslStreamCertificateContext? certificate = null) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseProxy = false,
        Expect100ContinueTimeout = TimeSpan.FromSeconds(30),
        SslOptions = TrustingOptions(certificate),
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        Timeout = TimeSpan.FromSeconds(60),
    };
}
