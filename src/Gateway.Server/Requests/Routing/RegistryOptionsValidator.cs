using System.Buffers;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Routing;

/// <summary>
/// Rules of the <c>registries</c> section: of each registry, and that every request belongs to exactly one registry.
/// </summary>
internal static class RegistryOptionsValidator
{
    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(IReadOnlyList<RegistryOptions> registries, SettingScope scope)
    {
        for (var i = 0; i < registries.Count; i++)
        {
            ValidateOne(registries[i], scope.At(i));
            for (var earlier = 0; earlier < i; earlier++)
            {
                CheckPair(registries[i], scope.At(i), registries[earlier], scope.At(earlier));
            }
        }
    }

    private static void ValidateOne(RegistryOptions options, SettingScope scope)
    {
        if (options.Name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            scope.At(nameof(options.Name)).Report(
                "contains characters other than lower-case letters, digits and dashes",
                "Use only these, for example \"main\".");
        }

        CheckUpstreams(options, scope);
        CheckRoute(options, scope);
        if (options.Credential is not null)
        {
            CheckCredential(options.Credential, scope.At(nameof(options.Credential)));
        }

        if (options is { ForwardToken: true, Credential: not null })
        {
            scope.At(nameof(options.ForwardToken)).Report(
                "cannot be combined with credential: a request carries only one Authorization header",
                "If the upstream verifies tokens, remove credential; otherwise remove forwardToken.");
        }

        CheckRedirects(options.Redirects, scope.At(nameof(options.Redirects)));
        scope.At(nameof(options.ActivityTimeout))
            .CheckRange(options.ActivityTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        scope.At(nameof(options.BlobActivityTimeout))
            .CheckRange(options.BlobActivityTimeout, TimeSpan.FromMinutes(1), TimeSpan.FromHours(24));
        var health = scope.At(nameof(options.HealthCheck));
        health.At(nameof(options.HealthCheck.Interval))
            .CheckRange(options.HealthCheck.Interval, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        health.At(nameof(options.HealthCheck.Timeout))
            .CheckRange(options.HealthCheck.Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
    }

    private static void CheckUpstreams(RegistryOptions options, SettingScope registry)
    {
        var scope = registry.At(nameof(options.Upstreams));
        var seen = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var anyHttps = false;
        var anyBroken = scope.IsBroken;
        for (var i = 0; i < options.Upstreams.Count; i++)
        {
            if (options.Upstreams[i] is not { } url)
            {
                anyBroken = true; // could not be read, and is reported
                continue;
            }

            anyHttps |= url.Scheme == Uri.UriSchemeHttps;
            if (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
            {
                scope.At(i).Report("is neither http nor https", "Write the URL on which the registry listens.");
                continue;
            }

            BaseUrl.Check(url, scope.At(i));
            var authority = url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
            if (!seen.TryAdd(authority, i))
            {
                scope.At(i).Report(
                    $"is the same upstream as {scope.At(seen[authority]).Key}", "Remove one of the two.");
            }
        }

        if (options.CertificateAuthority is not null && !anyHttps && !anyBroken)
        {
            registry.At(nameof(options.CertificateAuthority)).Report(
                "has no effect, since no upstream uses https",
                "Write the upstreams with https://, or remove certificateAuthority.");
        }
    }

    private static void CheckRoute(RegistryOptions options, SettingScope scope)
    {
        if (options.Host is not null && !HostName.TryParse(options.Host, out _))
        {
            scope.At(nameof(options.Host)).Report("is not a host name", HostName.Fix);
        }

        var prefix = scope.At(nameof(options.Prefix));
        if (options.Prefix is not null && !RepositoryName.TryParse(options.Prefix, out _))
        {
            prefix.Report(
                "cannot be the beginning of a repository name",
                "Write it as in a repository name, without a slash at either end, such as \"teams/a\".");
        }

        if (options is { Host: not null, Prefix: not null })
        {
            scope.Report(
                "has both a host and a prefix", "Keep one of them; add a second registry for the other.");
        }

        if (options is { StripPrefix: true, Prefix: null } && !prefix.IsBroken)
        {
            scope.At(nameof(options.StripPrefix)).Report("is set without a prefix to strip",
                "Set prefix, or remove it.");
        }
    }

    private static void CheckRedirects(RedirectOptions options, SettingScope redirects)
    {
        var scope = redirects.At(nameof(options.Allow));
        for (var i = 0; i < options.Allow?.Count; i++)
        {
            if (!AllowedRedirect.TryParse(options.Allow[i], out _, out var what, out var fix))
            {
                scope.At(i).Report(what, fix);
            }
        }
    }

    private static void CheckCredential(UpstreamCredentialOptions options, SettingScope scope)
    {
        var username = scope.At(nameof(options.Username));
        var password = scope.At(nameof(options.Password));
        var token = scope.At(nameof(options.Token));
        if (options.Username?.Any(static c => c == ':' || char.IsControl(c)) == true)
        {
            username.Report(
                "contains a colon or a control character",
                "Choose another name: Basic authentication cannot carry this one.");
        }

        if (options.Password?.Any(char.IsControl) == true)
        {
            password.Report(
                "contains a control character, such as a line break", "Write only the password, on one line.");
        }

        if (options.Token?.AsSpan().ContainsAnyExceptInRange('!', '~') == true)
        {
            token.Report(
                "contains a space, a line break or a character outside ASCII", "Write only the token, on one line.");
        }

        if (username.IsBroken || password.IsBroken || token.IsBroken)
        {
            return; // which of them are meant is not known
        }

        var complete = options is { Username: not null, Password: not null, Token: null }
            or { Username: null, Password: null, Token: not null };
        if (!complete)
        {
            scope.Report(
                "is neither a user name with a password nor a token",
                "Set username and password (or passwordFile), or set only token (or tokenFile).");
        }
    }

    private static void CheckPair(
        RegistryOptions later, SettingScope scope, RegistryOptions earlier, SettingScope other)
    {
        if (later.Name.Length > 0 && later.Name == earlier.Name)
        {
            scope.At(nameof(later.Name)).Report(
                $"is also the name of {other.Key}", "Give each registry a name of its own.");
        }

        if (later.Host is not null && SameHost(later.Host, earlier.Host))
        {
            scope.At(nameof(later.Host)).Report(
                $"is also the host of {other.Key}", "Give each registry a host of its own.");
        }

        if (later.Prefix is not null && later.Prefix == earlier.Prefix)
        {
            scope.At(nameof(later.Prefix)).Report(
                $"is also the prefix of {other.Key}", "Give each registry a prefix of its own.");
        }

        if (IsDefault(later, scope) && IsDefault(earlier, other))
        {
            scope.Report(
                $"has neither a host nor a prefix, and neither has {other.Key}: requests could go to either",
                "Give this one a host or a prefix; only one registry may have neither.");
        }
    }

    private static bool IsDefault(RegistryOptions options, SettingScope scope) =>
        options is { Host: null, Prefix: null }
        && !scope.At(nameof(options.Host)).IsBroken && !scope.At(nameof(options.Prefix)).IsBroken;

    // "registry.example.com" and "registry.example.com:443" are one place to clients, which leave the usual port out.
    private static bool SameHost(string left, string? right) =>
        HostName.TryParse(left, out var first) && right is not null && HostName.TryParse(right, out var second)
        && first with { Port = first.Port ?? 443 } == second with { Port = second.Port ?? 443 };
}
