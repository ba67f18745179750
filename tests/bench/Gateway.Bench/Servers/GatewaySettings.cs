using System.Globalization;

namespace Gateway.Bench.Servers;

/// <summary>How a gateway of the bench is configured: everything on, unless a part is taken away.</summary>
internal sealed record GatewaySettings
{
    /// <summary>The folder for its files.</summary>
    public required string Folder { get; init; }

    /// <summary>The folder of the published program.</summary>
    public required string Program { get; init; }

    /// <summary>The registry behind it.</summary>
    public required Uri Upstream { get; init; }

    /// <summary>The folder of tls.crt and tls.key.</summary>
    public required string Certificates { get; init; }

    /// <summary>The htpasswd file.</summary>
    public required string Users { get; init; }

    /// <summary>How many rules its policy has.</summary>
    public required int Rules { get; init; }

    /// <summary>Host and port of the Redis that counts its limits; none: it counts them itself.</summary>
    public string? Redis { get; init; }

    /// <summary>Whether Redis also stores its tokens.</summary>
    public bool StoresInRedis { get; init; }

    /// <summary>Whether it writes an audit trail.</summary>
    public bool HasAudit { get; init; } = true;

    /// <summary>Whether it keeps small contents in memory; a gateway that cannot must not be asked to.</summary>
    public bool HasContentCache { get; init; }

    /// <summary>The text of gateway.yaml.</summary>
    public string ToYaml(int port, int managementPort)
    {
        var prefix = Path.GetFileName(Folder);
        var redis = Redis is null ? "" : $"redis: {{ server: \"{Redis}\", timeout: 5s, keyPrefix: \"{prefix}:\" }}\n";
        var store = StoresInRedis ? "state: { store: redis }\n" : "";
        var cache = HasContentCache ? "contentCache: { enabled: true }\n" : "";
        var classes = "[pull, push, read, catalog, token]";
        return string.Create(CultureInfo.InvariantCulture, $$"""
            publicUrl: https://localhost:{{port}}
            listen: { https: "127.0.0.1:{{port}}", management: "127.0.0.1:{{managementPort}}" }
            tls: { certificates: [ { certificate: "{{Certificates}}/tls.crt", key: "{{Certificates}}/tls.key" } ] }
            registries: [ { name: main, upstreams: [ "http://127.0.0.1:{{Upstream.Port}}" ] } ]
            authentication: { htpasswd: { file: "{{Users}}" } }
            policies: policies/
            tokens: { refreshTokens: true }
            limits:
              timeout: 2s
              rules:
                - { name: everything, classes: {{classes}}, per: [caller], rate: 1000000, window: 1m }
            audit: { enabled: {{(HasAudit ? "true" : "false")}}, file: { hashChain: true } }
            {{redis}}{{store}}{{cache}}
            """);
    }
}
