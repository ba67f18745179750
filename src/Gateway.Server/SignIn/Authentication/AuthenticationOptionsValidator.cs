using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Server.SignIn.Ldap;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.SignIn.Sessions;
using Gateway.Server.SignIn.Workloads;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>Rules of the <c>authentication</c> section.</summary>
internal static class AuthenticationOptionsValidator
{
    private const int LargestCache = 1_000_000;
    private const int MostConcurrentHashes = 256;

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(AuthenticationOptions options, SettingScope scope)
    {
        var htpasswd = scope.At(nameof(options.Htpasswd));
        if (options.Htpasswd is not null)
        {
            HtpasswdOptionsValidator.Validate(options.Htpasswd, htpasswd);
        }
        else if (!htpasswd.IsBroken
            && options.ClientCertificates is null && !scope.At(nameof(options.ClientCertificates)).IsBroken
            && options.Ldap.Count == 0 && !scope.At(nameof(options.Ldap)).IsBroken
            && options.Oidc.Count == 0 && !scope.At(nameof(options.Oidc)).IsBroken
            && options.Workloads.Count == 0 && !scope.At(nameof(options.Workloads)).IsBroken)
        {
            scope.Report(
                "configures no way to sign in, so no one could sign in",
                "Add one, for example \"authentication: { htpasswd: { file: users.htpasswd } }\".");
        }

        if (options.ClientCertificates is { } certificates)
        {
            ClientCertificateOptionsValidator.Validate(certificates, scope.At(nameof(options.ClientCertificates)));
        }

        LdapOptionsValidator.Validate(options.Ldap, options.Collisions, scope.At(nameof(options.Ldap)));
        OidcOptionsValidator.Validate(options.Oidc, scope.At(nameof(options.Oidc)));
        BrowserSessionOptionsValidator.Validate(options.Sessions, scope.At(nameof(options.Sessions)));
        WorkloadOptionsValidator.Validate(options.Workloads, scope.At(nameof(options.Workloads)));
        CheckNames(options, scope);
        CheckOrder(options, scope.At(nameof(options.Order)));
        CheckCollisions(options, scope.At(nameof(options.Oidc)));
        scope.At(nameof(options.CacheLifetime)).CheckRange(options.CacheLifetime, TimeSpan.Zero, TimeSpan.FromHours(1));
        scope.At(nameof(options.CacheSize)).CheckRange(options.CacheSize, 1, LargestCache);
        scope.At(nameof(options.ConcurrentHashes)).CheckRange(options.ConcurrentHashes, 0, MostConcurrentHashes);
    }

    // The name before the slash names one source of users: "corp/alice".
    private static void CheckNames(AuthenticationOptions options, SettingScope scope)
    {
        foreach (var name in options.Ldap.Keys.Intersect(options.Workloads.Keys))
        {
            scope.At(nameof(options.Workloads)).AtName(name).Report(
                "is also the name of an LDAP directory", "Give each source of users its own name.");
        }

        foreach (var name in options.Oidc.Keys.Where(
            name => options.Ldap.ContainsKey(name) || options.Workloads.ContainsKey(name)))
        {
            scope.At(nameof(options.Oidc)).AtName(name).Report(
                "is also the name of another source", "Give each source of users its own name.");
        }
    }

    private static void CheckOrder(AuthenticationOptions options, SettingScope scope)
    {
        var known = MethodsOf(options).ToList();
        for (var i = 0; i < options.Order.Count; i++)
        {
            if (!known.Contains(options.Order[i]))
            {
                scope.At(i).Report("is not a configured sign-in method",
                    $"Use only these: {string.Join(", ", known)}.");
            }
            else if (options.Order.IndexOf(options.Order[i]) < i)
            {
                scope.At(i).Report("appears twice", "List each method once.");
            }
            else if (options.Order[i] == CertificateSubjectReader.Method && i + 1 < options.Order.Count)
            {
                scope.At(i).Report(
                    "comes before another sign-in method",
                    "Put it last: no one can be asked which names certificates hold, so the names of "
                    + "all other methods come first.");
            }
        }
    }

    // A provider cannot be asked about a user before they sign in: until then a later source's user of that name would
    // have what policy grants to it.
    private static void CheckCollisions(AuthenticationOptions options, SettingScope scope)
    {
        if (options.Collisions == NameCollisions.Same)
        {
            return;
        }

        var order = SignInMethods.Sort(MethodsOf(options), static method => method, options.Order);
        foreach (var (name, provider) in options.Oidc)
        {
            var method = OidcProvider.MethodOf(name);
            if (provider.Names == NameForm.Plain
                && order.Skip(order.IndexOf(method) + 1).FirstOrDefault(HasPlainNames) is { } later)
            {
                scope.AtName(name).Report(
                    $"comes before {later}, but the gateway learns this provider's user names only when they sign in",
                    "Set names: qualified for one of the two, put this one last in authentication.order, or, where one "
                    + "name is the same person everywhere, set authentication.collisions: same.");
            }
        }

        bool HasPlainNames(string method) =>
            !options.Oidc.Any(one => one.Value.Names == NameForm.Qualified && OidcProvider.MethodOf(one.Key) == method)
            && !options.Ldap.Any(one => one.Value.Names == NameForm.Qualified && "ldap:" + one.Key == method);
    }

    private static IEnumerable<string> MethodsOf(AuthenticationOptions options)
    {
        if (options.Htpasswd is not null)
        {
            yield return "htpasswd";
        }

        foreach (var name in options.Ldap.Keys)
        {
            yield return "ldap:" + name;
        }

        foreach (var name in options.Oidc.Keys)
        {
            yield return OidcProvider.MethodOf(name);
        }

        if (options.ClientCertificates is not null)
        {
            yield return CertificateSubjectReader.Method;
        }
    }
}
