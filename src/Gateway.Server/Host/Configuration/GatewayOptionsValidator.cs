using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Hosting;
using Gateway.Server.Host.Telemetry;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Records.Audit;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Requests.Cors;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Host.Configuration;

/// <summary>Rules of the top level, and the list of the sections' validators.</summary>
internal static class GatewayOptionsValidator
{
    /// <summary>Reports what is wrong. Validators read: they fill in nothing and open nothing.</summary>
    public static void Validate(GatewayOptions options, SettingScope scope)
    {
        CheckPublicUrl(options.PublicUrl, scope.At(nameof(options.PublicUrl)));
        CheckHosts(options.Hosts, scope.At(nameof(options.Hosts)));
        CheckTrustedProxies(options.TrustedProxies, scope.At(nameof(options.TrustedProxies)));
        ListenerOptionsValidator.Validate(options.Listen, scope.At(nameof(options.Listen)));
        TlsOptionsValidator.Validate(options.Tls, scope.At(nameof(options.Tls)));
        RegistryOptionsValidator.Validate(options.Registries, scope.At(nameof(options.Registries)));
        AuthenticationOptionsValidator.Validate(options.Authentication, scope.At(nameof(options.Authentication)));
        TokenOptionsValidator.Validate(options.Tokens, scope.At(nameof(options.Tokens)));
        StateOptionsValidator.Validate(
            options.State, options.Redis is not null || scope.At(nameof(options.Redis)).IsBroken,
            scope.At(nameof(options.State)));
        AuditOptionsValidator.Validate(options.Audit, scope.At(nameof(options.Audit)));
        if (options.Redis is { } redis)
        {
            RedisOptionsValidator.Validate(redis, scope.At(nameof(options.Redis)));
        }

        LimitOptionsValidator.Validate(options.Limits, scope.At(nameof(options.Limits)));
        ShutdownOptionsValidator.Validate(options.Shutdown, scope.At(nameof(options.Shutdown)));
        TelemetryOptionsValidator.Validate(options.Telemetry, scope.At(nameof(options.Telemetry)));
        SigningKeyOptionsValidator.Validate(
            options.Tokens.Keys,
            options.Redis is not null,
            scope.At(nameof(options.Tokens)).At(nameof(options.Tokens.Keys)));
        if (options.Authentication.Oidc.Count > 0 && options.State.Store == StateStoreKind.Redis
            && options.Tokens.Keys.Store == SigningKeyStoreKind.Folder)
        {
            // A sign-in begins at one replica and ends at another, which must be able to read what the first one gave
            // the browser.
            scope.At(nameof(options.Tokens))
                .At(nameof(options.Tokens.Keys))
                .At(nameof(options.Tokens.Keys.Store))
                .Report(
                "stores keys in a folder, but sign-ins by a provider use several replicas (state.store: redis)",
                "Set tokens.keys.store to redis, and set a password.");
        }

        if (options.ContentCache is { } contents)
        {
            ContentCacheOptionsValidator.Validate(contents, scope.At(nameof(options.ContentCache)));
        }

        CorsOptionsValidator.Validate(options.Cors, scope.At(nameof(options.Cors)));
    }

    private static void CheckPublicUrl(Uri? url, SettingScope scope)
    {
        if (url is null)
        {
            return;
        }

        if (url.Scheme != Uri.UriSchemeHttps)
        {
            scope.Report(
                "is not https",
                "Write https://, even if a load balancer terminates TLS: clients send passwords to this URL.");
        }

        BaseUrl.Check(url, scope);
    }

    private static void CheckHosts(List<string> hosts, SettingScope scope)
    {
        for (var i = 0; i < hosts.Count; i++)
        {
            if (!HostName.TryParse(hosts[i], out _))
            {
                scope.At(i).Report("is not a host name", HostName.Fix);
            }
        }
    }

    private static void CheckTrustedProxies(List<string> proxies, SettingScope scope)
    {
        for (var i = 0; i < proxies.Count; i++)
        {
            if (!ClientNetwork.TryParse(proxies[i], out var network, out var what, out var fix))
            {
                scope.At(i).Report(what, fix);
            }
            else if (network.PrefixLength == 0)
            {
                scope.At(i).Report(
                    "includes every address: any client could choose the address that policy, limits and audit see",
                    "List only the addresses of your load balancers.");
            }
        }
    }
}
