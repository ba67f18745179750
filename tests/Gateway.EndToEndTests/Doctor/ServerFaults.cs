using System.Globalization;
using Gateway.EndToEndTests.Oidc;
using Gateway.EndToEndTests.Support;
using Gateway.Tests.Support;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>Faults of the server's side that lie in its files.</summary>
internal static class ServerFaults
{
    private const string Host = TrustedHost.Name;
    private const string ReadRule = "rules:";

    /// <summary>By name: the problem, and how it is brought about.</summary>
    public static readonly Dictionary<string, (string Id, Action<Laboratory.Site> Inject)> All = new()
    {
        ["certificate expired"] =
            ("TLS001", static site => site.Serve(site.Laboratory.Certificates.Issue(Host, -30, -1))),
        ["certificate not yet valid"] =
            ("TLS002", static site => site.Serve(site.Laboratory.Certificates.Issue(Host, 1, 30))),
        ["certificate ends soon"] =
            ("TLS003", static site => site.Serve(site.Laboratory.Certificates.Issue(Host, -90, 5))),
        ["intermediate missing"] =
            ("TLS004", static site => site.Serve(site.Laboratory.Certificates.Issue(Host), chain: "")),
        ["chain out of order"] = ("TLS005", static site => site.Serve(
            site.Laboratory.Certificates.Issue(Host),
            site.Laboratory.Certificates.RootPem + site.Laboratory.Certificates.IntermediatePem)),
        ["wrong name"] =
            ("TLS006", static site => site.Serve(site.Laboratory.Certificates.Issue("other.gateway.test"))),
        ["key of another certificate"] = ("TLS007", static site =>
        {
            site.Serve(site.Laboratory.Certificates.Issue(Host));
            site.Write("certs/tls.key", site.Laboratory.Certificates.Issue(Host).Key);
        }
        ),
        ["key too short"] =
            ("TLS008", static site => site.Serve(site.Laboratory.Certificates.Issue(Host, keySize: 1024))),
        ["signed with SHA-1"] = ("TLS009", static site => site.Serve(site.Laboratory.Certificates.IssueWithSha1(Host))),
        ["common name alone"] = ("TLS010", static site => site.Serve(site.Laboratory.Certificates.Issue(host: null))),
        ["certificate cut off"] =
            ("TLS012", static site => site.Write("certs/tls.crt", File.ReadAllText(site.At("certs/tls.crt"))[..300])),
        ["unknown authority"] = ("TLS013", static site =>
        {
            using var others = new LaboratoryCertificates("Another");
            site.Serve(others.Issue(Host), others.IntermediatePem + others.RootPem);
        }
        ),
        ["certificate for clients"] =
            ("TLS014", static site => site.Serve(site.Laboratory.Certificates.Issue(Host, usage: "1.3.6.1.5.5.7.3.2"))),
        ["authority made anew"] = ("TLS015", static site =>
        {
            using var again = new LaboratoryCertificates();
            site.Serve(again.Issue(Host), again.IntermediatePem);
        }
        ),
        ["key readable by all"] =
            ("FIL001", static site => File.SetUnixFileMode(site.At("certs/tls.key"), (UnixFileMode)0b110_100_100)),
        ["signing key readable by all"] = ("FIL001", static site =>
            File.SetUnixFileMode(Directory.GetFiles(site.At("state/keys"), "*.pem")[0], (UnixFileMode)0b110_100_100)),
        ["users file is a folder"] = ("FIL002", static site =>
        {
            File.Delete(site.At("users.htpasswd"));
            Directory.CreateDirectory(site.At("users.htpasswd"));
        }
        ),
        ["users file missing"] = ("FIL002", static site => File.Delete(site.At("users.htpasswd"))),
        ["configuration writable by all"] =
            ("FIL003", static site => File.SetUnixFileMode(site.At("gateway.yaml"), (UnixFileMode)0b110_110_110)),
        ["unknown setting"] = ("CFG001", static site => site.Append("tokenz: { lifetime: 5m }")),
        ["htpasswd with MD5"] = ("HTP001", static site => AddUser(site, "old:$apr1$abcdefgh$ZQ3q1vqcR0r0fYVd8s6l21")),
        ["htpasswd with a mark of a failed hash"] = ("HTP001", static site => AddUser(site, "old:*0")),
        ["htpasswd at low cost"] =
            ("HTP002",
                static site => AddUser(site, "old:$2y$08$abcdefghijklmnopqrstuuMUUP3pSWH1bp40YWpSBE9dnXIF8dRoe")),
        ["htpasswd names a user twice"] = ("HTP003", static site => AddUser(site, File.ReadAllLines(site.At("users."
            + "htpasswd"))[0])),
        ["htpasswd without users"] = ("HTP004", static site => site.Write("users.htpasswd", "# nobody\n")),
        ["htpasswd cut within a line"] =
            ("HTP005",
                static site => site.Write("users.htpasswd", File.ReadAllText(site.At("users.htpasswd")).TrimEnd())),
        ["policy file cut to nothing"] = ("POL001", static site => site.Write("policies/policy.yaml", "")),
        ["policy mistyped"] = ("POL001", static site => site.Replace("policies/policy.yaml", "role: owner", "rolle: "
            + "owner")),
        ["rule does nothing"] =
            ("POL002",
                static site => Rule(
                    site, """{ name: again, to: [ "user:bob" ], role: reader, on: [ "team-a/app" ] }""")),
        ["rule denied by another"] =
            ("POL003",
                static site => Rule(
                    site, """{ name: nobody deletes, deny: [ pull, push, delete ], on: [ "team-b/**" ] }""")),
        ["unknown group"] =
            ("POL004",
                static site => Rule(
                    site, """{ name: typo, to: [ "group:team-aa" ], role: reader, on: [ "team-b/**" ] }""")),
        ["pattern of no repository"] =
            ("POL005",
                static site => Rule(site, """{ name: typo, to: [ "user:bob" ], role: reader, on: [ "taem-a/**" ] }""")),
        ["star for two stars"] =
            ("POL006", static site => Rule(site, """{ name: all, to: [ "user:bob" ], role: reader, on: [ "*" ] }""")),
        ["everybody writes"] =
            ("POL007",
                static site => Rule(site, """{ name: all, to: [ authenticated ], role: writer, on: [ "**" ] }""")),
        ["no rule"] = ("POL008", static site => site.Write("policies/policy.yaml", "groups: {}\n")),
        ["group of no rule"] =
            ("POL009",
                static site => site.Replace(
                    "policies/policy.yaml", "team-a: [alice]", "team-a: [alice]\n  nobody: [bob]")),
        ["deny by a claim that people lack"] =
            ("POL010",
                static site => Rule(
                    site, """{ name: odd, deny: [ push ], on: [ "team-b/**" ], when: { department: guests } }""")),
        ["GitHub's older subject in a rule"] = ("POL012", static site => GitHub(
            site, "subject: \"repo:acme/*\", require: { repository_owner_id: \"12\" }")),
        ["GitHub's older subject in a policy"] = ("POL012", static site =>
        {
            GitHub(site, "require: { repository_owner_id: \"12\" }");
            Rule(
                site,
#pragma warning disable RCS0056 // one line of text
                """{ name: ci, to: [ "issuer:github" ], role: reader, on: [ "acme/*" ], when: { sub: "repo:acme/app:*" } }""");
#pragma warning restore RCS0056
        }
        ),
        ["signing key damaged"] =
            ("KEY001",
                static site => File.WriteAllText(
                    Directory.GetFiles(site.At("state/keys"), "*.pem")[0], "no key at all\n")),
        ["scope that the provider does not know"] =
            ("ISS008",
                static site => site.Configure("clientId: gateway", "scopes: [ openid, nonsense ], clientId: gateway")),
        ["issuer's authority missing"] =
            ("ISS004",
                static site => site.Configure(
                    "clientId: gateway", "certificateAuthority: nowhere.crt, clientId: gateway")),
        ["store of a newer gateway"] = ("STA002", static site => Sql(site, "PRAGMA user_version = 99")),
        ["signing key a year old"] = ("KEY002", static site => MakeKeyOld(site)),
        ["secret a year old"] = ("ROT002", static site =>
        {
            site.Configure($"bindPassword: \"{LdapServerProcess.BindPassword}\"", "bindPasswordFile: bind-password");
            site.Write("bind-password", LdapServerProcess.BindPassword);
            File.SetLastWriteTimeUtc(
                site.At("bind-password"), TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-400));
        }
        ),
        ["upstream at the wrong port"] =
            ("UPS001", static site => site.Configure(site.Laboratory.Registry.Address.ToString(), Closed())),
        ["upstream is no registry"] =
            ("UPS002",
                static site => site.Configure(
                    site.Laboratory.Registry.Address.ToString(), site.Laboratory.Provider.Issuer)),
        ["token lifetime refused"] = ("TOK001", static site => site.Append("tokens: { lifetime: 10s }")),
        ["token lifetime too short"] = ("TOK001", static site => site.Append("tokens: { lifetime: 1m }")),
        ["uploads end with their token"] = ("TOK002", static site => site.Append("tokens: { uploadWindow: 0s }")),
        ["every origin with credentials"] =
            ("COR001", static site => Cors(site, """origins: [ "*" ], credentials: true""")),
        ["credentials without origins"] = ("COR001", static site => Cors(site, "credentials: true")),
        ["page without https uses passwords"] =
            ("COR002", static site => Cors(site, """origins: [ "http://ui.gateway.test" ], credentials: true""")),
        ["pages cannot send Authorization"] =
            ("COR003", static site => Cors(site, """origins: [ "https://ui.gateway.test" ], headers: [ Accept ]""")),
        ["limit of nothing"] = ("LIM001", static site => Limits(site, "{ name: pulls, classes: [ pull ], rate: 0, "
            + "window: 1h }")),
        ["limit that nobody keeps"] = ("LIM002", static site => Limits(site, "{ name: pulls, classes: [ pull ], rate: "
            + "1, window: 1h }")),
        ["limit that is never met"] = ("LIM003", static site => Limits(site, "{ name: pulls, classes: [ pull ], rate: "
            + "1000, window: 1h }, { name: old, classes: [ pull ], rate: 9000, window: 1h }")),
        ["LDAP without TLS"] = ("LDP003", static site => site.Configure(
            $"servers: [ \"{site.Laboratory.Directory.Ldaps}\" ]",
            $"startTls: false, servers: [ \"{site.Laboratory.Directory.Ldap}\" ]")),
        ["LDAP at the wrong port"] =
            ("LDP001", static site => site.Configure(site.Laboratory.Directory.Ldaps.ToString(), Closed("ldaps"))),
        ["LDAP of an unknown authority"] = ("LDP002", static site => site.Configure(
            $"certificateAuthority: \"{site.Laboratory.Directory.AuthorityFile}\",", "")),
        ["LDAP with the wrong password"] =
            ("LDP004", static site => site.Configure(LdapServerProcess.BindPassword, "another")),
        ["LDAP searched at the wrong place"] =
            ("LDP005", static site => site.Configure("searchBase: \"ou=people", "searchBase: \"ou=nobody")),
        ["LDAP tells no groups"] = ("LDP006", static site => site.Configure("bindDn:", "groups: { attribute: seeAlso "
            + "}, bindDn:")),
        ["Redis at the wrong port"] =
            ("RED001",
                static site => site.Configure(
                    $"127.0.0.1:{site.Laboratory.Redis.Port}", $"127.0.0.1:{TestPaths.FreePort()}")),
        ["Redis without the TLS that is set"] = ("RED003", static site => site.Configure("redis: {", "redis: { tls: "
            + "true,")),
        ["issuer down"] =
            ("ISS001", static site => site.Configure(site.Laboratory.Provider.Issuer, Closed().TrimEnd('/'))),
        ["issuer with a slash more"] =
            ("ISS002",
                static site => site.Configure(
                    $"\"{site.Laboratory.Provider.Issuer}\"", $"\"{site.Laboratory.Provider.Issuer}/\"")),
        ["redirect URI not registered"] =
            ("ISS006", static site => site.Configure("oidc: { first:", "oidc: { second:")),
        ["client secret wrong"] = ("ISS007", static site => site.Configure(OidcProviderProcess.ClientSecret, "another "
            + "secret")),
        ["public name without an address"] = ("NET003", static site =>
        {
            site.Configure($"publicUrl: https://{Host}", "publicUrl: https://nowhere.gateway.test");
            site.Serve(site.Laboratory.Certificates.Issue("nowhere.gateway.test"));
        }
        ),
        ["public URL at a closed port"] = ("NET004", static site => site.Configure(
            $"publicUrl: https://{site.Laboratory.Gateway.Authority}",
            string.Create(CultureInfo.InvariantCulture, $"publicUrl: https://{Host}:{TestPaths.FreePort()}"))),
        ["certificate renewed elsewhere"] =
            ("NET005", static site => site.Serve(site.Laboratory.Certificates.Issue(Host))),
        ["public URL leads to another gateway"] = ("NET006", static site =>
        {
            // Its keys are others than those that are published there.
            Directory.Delete(site.At("state/keys"), recursive: true);
            GatewayProcess.RunCommandAsync(["keys", "rotate", "--config", site.At("gateway.yaml")])
                .GetAwaiter()
                .GetResult().Succeeded();
        }
        ),
    };

    private static string Closed(string scheme = "http") =>
        string.Create(CultureInfo.InvariantCulture, $"{scheme}://127.0.0.1:{TestPaths.FreePort()}/");

    private static void AddUser(Laboratory.Site site, string line) =>
        File.AppendAllText(site.At("users.htpasswd"), line + "\n");

    private static void Rule(Laboratory.Site site, string rule) =>
        site.Replace("policies/policy.yaml", ReadRule, $"{ReadRule}\n  - {rule}");

    // With its keys in a file (RFC 7517, appendix A.1), so that nobody is asked.
    private static void GitHub(Laboratory.Site site, string rule)
    {
        site.Write("github.json", """
            {"keys":[{"kty":"EC","crv":"P-256","kid":"1","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}
            """);
        site.Configure(
            "oidc: {",
            "workloads: { github: { issuer: \"https://token.actions.githubusercontent.com\", audience: registry, "
            + $"keys: github.json, rules: [ {{ name: acme, {rule}, as: \"{{repository}}\" }} ] }} }}\n  oidc: {{");
    }

    private static void Cors(Laboratory.Site site, string cors) =>
        site.Configure("cors: { origins: [ \"https://ui.gateway.test\" ] }", $"cors: {{ {cors} }}");

    private static void Limits(Laboratory.Site site, string rules) =>
        site.Configure("{ name: pulls, classes: [ pull ], rate: 1000, window: 1h }", rules);

    private static void Sql(Laboratory.Site site, string sql) =>
        Cli.RunAsync(
            "python3",
            [
                "-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()",
                site.At("state/gateway.db"), sql,
            ])
            .GetAwaiter().GetResult().Succeeded();

    private static void MakeKeyOld(Laboratory.Site site)
    {
        var file = Directory.GetFiles(site.At("state/keys"), "*.pem")[0];
        var year = TimeProvider.System.GetUtcNow().Year;
        File.WriteAllText(file, File.ReadAllText(file).Replace(
            string.Create(CultureInfo.InvariantCulture, $": {year}-"),
            string.Create(CultureInfo.InvariantCulture, $": {year - 2}-"), StringComparison.Ordinal));
    }
}
