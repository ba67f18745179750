using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Gateway.Bench.Load;
using Gateway.Bench.Machine;
using Gateway.Bench.Servers;

namespace Gateway.Bench;

/// <summary>What all fronts share: certificates, users, one registry with its data, one Redis.</summary>
internal sealed class Lab : IAsyncDisposable
{
    /// <summary>The caller who may do everything that the bench does.</summary>
    public const string User = "bench";

    /// <summary>The caller who sees ten repositories of the catalog.</summary>
    public const string Guest = "guest";

    /// <summary>The password of both.</summary>
    public const string Password = "correct-horse-battery-staple";

    private readonly X509Certificate2 _authority;

    private Lab(BenchOptions options, RegistryServer registry, RedisServer redis, Content content)
    {
        Options = options;
        Registry = registry;
        Redis = redis;
        Content = content;
        _authority = X509CertificateLoader.LoadCertificateFromFile(AuthorityFile);
    }

    /// <summary>What the command line asked for.</summary>
    public BenchOptions Options { get; }

    /// <summary>How much of everything.</summary>
    public Sizes Sizes => Options.Sizes;

    /// <summary>The registry behind all fronts.</summary>
    public RegistryServer Registry { get; }

    /// <summary>Whether the gateway that is measured has a content cache.</summary>
    public bool HasContentCache { get; private init; }

    /// <summary>The folder of its storage.</summary>
    public string Data => DataOf(Options);

    /// <summary>The Redis that counts the limits of the gateways.</summary>
    public RedisServer Redis { get; }

    /// <summary>What the registry holds.</summary>
    public Content Content { get; }

    /// <summary>The folder of ca.crt, tls.crt and tls.key.</summary>
    public string Certificates => CertificatesOf(Options);

    /// <summary>The authority of the certificate that every front shows.</summary>
    public string AuthorityFile => Path.Combine(Certificates, "ca.crt");

    /// <summary>Users with bcrypt hashes of cost 10: for the gateway and for the registry's own htpasswd.</summary>
    public string Users => UsersOf(Options, "bcrypt");

    /// <summary>
    /// Users with apr1 hashes, which nginx computes itself: what htpasswd makes unless told otherwise.
    /// </summary>
    public string ApacheUsers => UsersOf(Options, "apr1");

    /// <summary>The header of the caller's password.</summary>
    public static AuthenticationHeaderValue BasicOf(string user, string password = Password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    /// <summary>Makes certificates and users, starts the registry and Redis, and fills the registry.</summary>
    public static async Task<Lab> CreateAsync(BenchOptions options, CancellationToken cancellationToken)
    {
        var gateway = Path.Combine(options.Gateway, "gateway");
        await Command.RunAsync([gateway, "dev-cert", "--out", CertificatesOf(options), "--name", "localhost"]);
        string[] users = [User, Guest];
        foreach (var (kind, scheme) in new[] { ("bcrypt", "-nbBC10"), ("apr1", "-nbm") })
        {
            var file = UsersOf(options, kind);
            foreach (var user in users)
            {
                string[] command = kind == "bcrypt"
                    ? ["htpasswd", "-nbB", "-C", "10", user, Password]
                    : ["htpasswd", scheme, user, Password];
                var line = (await Command.RunAsync(command)).Trim();
                await File.AppendAllTextAsync(file, line + "\n", cancellationToken);
            }

            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var registry = await RegistryServer.StartAsync(FolderOf(options, "registry"), DataOf(options));
        try
        {
            var redis = await RedisServer.StartAsync(FolderOf(options, "redis"));
            try
            {
                var content = await Content.PushAsync(registry.Address, options.Sizes, cancellationToken);
                var schema = await Command.RunAsync([gateway, "config", "schema"]);
                return new Lab(options, registry, redis, content)
                {
                    HasContentCache = schema.Contains("\"contentCache\"", StringComparison.Ordinal),
                };
            }
            catch
            {
                await redis.DisposeAsync();
                throw;
            }
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    /// <summary>A folder of this run; it is not made.</summary>
    public string FolderOf(string name) => FolderOf(Options, name);

    /// <summary>The policy that trusts the fronts' authority alone.</summary>
    public X509ChainPolicy Trust() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        CustomTrustStore = { _authority },
    };

    /// <summary>A client of the fronts that keeps its connections; the caller disposes it.</summary>
    public HttpClient CreateClient(Uri address, int connections = 64)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            MaxConnectionsPerServer = connections,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(10),
        };
        handler.SslOptions.CertificateChainPolicy = Trust();
        return new HttpClient(handler) { BaseAddress = address, Timeout = TimeSpan.FromMinutes(5) };
    }

    public async ValueTask DisposeAsync()
    {
        _authority.Dispose();
        await Registry.DisposeAsync();
        await Redis.DisposeAsync();
    }

    private static string FolderOf(BenchOptions options, string name) => Path.Combine(options.Scratch, name);

    private static string DataOf(BenchOptions options) => FolderOf(options, "data");

    private static string CertificatesOf(BenchOptions options) => FolderOf(options, "certificates");

    private static string UsersOf(BenchOptions options, string kind) => FolderOf(options, $"users.{kind}");
}
