using Gateway.Bench.Servers;

namespace Gateway.Bench.Fronts;

/// <summary>The fronts that are compared, by their keys, and how each is started.</summary>
internal sealed class FrontSet(Lab lab)
{
    /// <summary>The keys, in the order of the tables.</summary>
    public const string Registry = "registry", Nginx = "nginx", NginxUnbuffered = "nginx-unbuffered",
        NginxAuth = "nginx-auth", RegistryAuth = "registry-htpasswd", Yarp = "yarp", Gateway = "gateway",
        GatewayCache = "gateway-cache", GatewayNoRedis = "gateway-no-redis", GatewayNoAudit = "gateway-no-audit",
        GatewayBare = "gateway-bare", GatewayOther = "gateway-other";

    /// <summary>What people call each.</summary>
    public static IReadOnlyDictionary<string, string> Titles { get; } = new Dictionary<string, string>
    {
        [Registry] = "the registry itself",
        [Nginx] = "nginx TLS",
        [NginxUnbuffered] = "nginx TLS, buffering off",
        [NginxAuth] = "nginx TLS + auth_basic",
        [RegistryAuth] = "the registry's own TLS and htpasswd",
        [Yarp] = "bare YARP TLS",
        [Gateway] = "gateway, everything on",
        [GatewayCache] = "gateway, with the content cache",
        [GatewayNoRedis] = "gateway without Redis",
        [GatewayNoAudit] = "gateway without audit",
        [GatewayBare] = "gateway without both",
        [GatewayOther] = "the other gateway, everything on",
    };

    private int _started;

    /// <summary>The keys of those that this run compares, in order.</summary>
    public IReadOnlyList<string> Keys()
    {
        string[] all =
        [
            Registry, Nginx, NginxUnbuffered, NginxAuth, RegistryAuth, Yarp, Gateway,
            .. lab.HasContentCache ? [GatewayCache] : Array.Empty<string>(),
            GatewayNoRedis, GatewayNoAudit, GatewayBare,
            .. lab.Options.Also is null ? Array.Empty<string>() : [GatewayOther],
        ];
        if (lab.Options.Fronts.FirstOrDefault(key => !all.Contains(key)) is { } unknown)
        {
            throw new BenchException(
                $"there is no such front (found: {unknown}). There are: {string.Join(", ", all)}.");
        }

        return lab.Options.Fronts.Count == 0 ? all : [.. all.Where(lab.Options.Fronts.Contains)];
    }

    /// <summary>Starts one.</summary>
    /// <param name="key">Which.</param>
    /// <param name="rules">The rules of a gateway's policy; as all others have unless given.</param>
    public async Task<Front> StartAsync(string key, int? rules = null)
    {
        var folder = lab.FolderOf(FormattableString.Invariant($"{++_started}-{key}"));
        switch (key)
        {
            case Registry:
                return Create(key, lab.Registry.Address, lab.Registry.Id, null, SignIn.None, behind: false);
            case RegistryAuth:
                var registry = await RegistryServer.StartAsync(folder, lab.Data, lab.Certificates, lab.Users);
                return Create(key, registry.Address, registry.Id, registry, SignIn.Basic, behind: false);
            case Nginx or NginxAuth or NginxUnbuffered:
                var nginx = await NginxServer.StartAsync(
                    folder, lab.Registry.Address, lab.Certificates, key == NginxAuth ? lab.ApacheUsers : null,
                    isBuffered: key != NginxUnbuffered);
                var signIn = key == NginxAuth ? SignIn.Basic : SignIn.None;
                return Create(key, nginx.Address, nginx.Id, nginx, signIn, behind: true);
            case Yarp:
                var yarp = await YarpServer.StartAsync(
                    folder, lab.Options.Yarp, lab.Registry.Address, lab.Certificates);
                return Create(key, yarp.Address, yarp.Id, yarp, SignIn.None, behind: true);
            default:
                var settings = SettingsOf(key, folder);
                settings = settings with { Rules = rules ?? settings.Rules };
                var gateway = await GatewayServer.StartAsync(settings);
                return Create(
                    key, gateway.Address, gateway.Id, gateway, SignIn.Bearer, behind: true,
                    settings.Redis is null ? null : lab.Redis);
        }
    }

    /// <summary>The settings of one of the gateways.</summary>
    /// <param name="key">Which.</param>
    /// <param name="folder">The folder for its files.</param>
    public GatewaySettings SettingsOf(string key, string folder) => new()
    {
        Folder = folder,
        Program = key == GatewayOther ? lab.Options.Also! : lab.Options.Gateway,
        Upstream = lab.Registry.Address,
        Certificates = lab.Certificates,
        Users = lab.Users,
        Rules = lab.Sizes.Rules,
        Redis = key is GatewayNoRedis or GatewayBare ? null : lab.Redis.Address,
        HasAudit = key is not (GatewayNoAudit or GatewayBare),
        HasContentCache = key == GatewayCache,
    };

    private Front Create(
        string key, Uri address, int process, IAsyncDisposable? server, SignIn signIn, bool behind,
        RedisServer? redis = null) => new(key, Titles[key], address, process, server)
        {
            SignIn = signIn,
            RegistryProcess = behind ? lab.Registry.Id : null,
            Redis = redis,
            IsSlow = key == RegistryAuth,
        };
}
