using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Gateway.Client.Doctor;
using Gateway.Doctor;
using Gateway.EndToEndTests.Oidc;
using Gateway.EndToEndTests.Support;
using Gateway.Tests.Support;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>
/// A whole stack that runs: the gateway with htpasswd, LDAP and OpenID, before a real registry, Redis, slapd and
/// provider. Faults are put into it one at a time, and it is well in between.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class Laboratory : IAsyncLifetime
{
    private const string People = "ou=people," + LdapServerProcess.Base;

    private readonly OidcProviderProcess _provider = new("developers");
    private TrustedHost _host = null!;

    internal RegistryProcess Registry { get; private set; } = null!;

    internal RedisServer Redis { get; private set; } = null!;

    internal LdapServerProcess Directory { get; private set; } = null!;

    internal OidcProviderProcess Provider => _provider;

    internal GatewayProcess Gateway { get; private set; } = null!;

    internal LaboratoryCertificates Certificates { get; } = new();

    public async Task InitializeAsync()
    {
        await OidcProviderProcess.InstallAsync();
        _host = await TrustedHost.CreateAsync();
        Registry = await RegistryProcess.StartAsync();
        Redis = await RedisServer.StartAsync("--appendfsync", "always");
        Directory = await LdapServerProcess.StartAsync($"""
            dn: uid=dora,{People}
            objectClass: inetOrgPerson
            uid: dora
            cn: Dora
            sn: Example
            userPassword: dora-password

            dn: cn=developers,ou=groups,{LdapServerProcess.Base}
            objectClass: groupOfNames
            cn: developers
            member: uid=dora,{People}

            """);
        Gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = Registry.Address,
            ListenAddress = TrustedHost.Address,
            MoreAuthentication = $$"""
                , ldap: { corp: {
                    servers: [ "{{Directory.Ldaps}}" ], certificateAuthority: "{{Directory.AuthorityFile}}",
                    bindDn: "{{LdapServerProcess.BindDn}}", bindPassword: "{{LdapServerProcess.BindPassword}}",
                    searchBase: "{{People}}" } },
                  oidc: { first: { issuer: "{{_provider.Issuer}}", clientId: {{OidcProviderProcess.ClientId}}, clientSecret: "{{OidcProviderProcess.ClientSecret}}" } }
                """,
            MoreYaml = string.Create(CultureInfo.InvariantCulture, $$"""
                redis: { server: "127.0.0.1:{{Redis.Port}}" }
                cors: { origins: [ "https://ui.gateway.test" ] }
                limits: { rules: [ { name: pulls, classes: [ pull ], rate: 1000, window: 1h } ] }
                audit: { file: { path: audit.jsonl } }
                """),
        });
        await _provider.StartAsync("first", Gateway.Authority);
        await UntilWellAsync();
        foreach (var repository in new[] { "team-a/app", "team-a/deep/er" })
        {
            await Registry.PushAsync(TestImage.Create(size: 256), repository, "v1");
        }
    }

    /// <summary>
    /// Waits until the running gateway has everything that it needs: a test before may have taken it away, and given it
    /// back a moment ago.
    /// </summary>
    public async Task UntilWellAsync()
    {
        using var client = new HttpClient();
        await Eventually.TrueAsync(
            async () => !(await client.GetStringAsync(new Uri(Gateway.Management, "/readyz"))).Contains(
                "\"down\"", StringComparison.Ordinal),
            TimeSpan.FromSeconds(60));
    }

    public async Task DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await _provider.DisposeAsync();
        await Directory.DisposeAsync();
        await Redis.DisposeAsync();
        await Registry.DisposeAsync();
        await _host.DisposeAsync();
        Certificates.Dispose();
    }

    /// <summary>A second copy of the gateway's own files, in which something may be wrong.</summary>
    internal Site Copy()
    {
        var site = new Site(this);
        CopyFolder(Gateway.Folder, site.Folder);
        return site;
    }

    private static void CopyFolder(string from, string to)
    {
        System.IO.Directory.CreateDirectory(to);
        File.SetUnixFileMode(to, File.GetUnixFileMode(from));
        foreach (var file in System.IO.Directory.GetFiles(from).Where(
            static file => Path.GetExtension(file) is not (".sock" or ".log")))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (var folder in System.IO.Directory.GetDirectories(from))
        {
            CopyFolder(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }

    /// <summary>The gateway's configuration folder, to be spoilt and looked at.</summary>
    internal sealed class Site(Laboratory laboratory) : IDisposable
    {
        public string Folder { get; } = Path.Combine(Path.GetTempPath(), "gateway-site-" + Path.GetRandomFileName());

        public Laboratory Laboratory => laboratory;

        public Dictionary<string, string> Environment { get; } = [];

        /// <summary>The authority that clients are said to trust; the gateway's own unless set.</summary>
        public string? AuthorityPem { get; set; }

        public bool ProbesUploads { get; set; } = true;

        public TimeProvider Time { get; set; } = TimeProvider.System;

        public string At(string file) => Path.Combine(Folder, file);

        public void Write(string file, string text)
        {
            var isNew = !File.Exists(At(file));
            File.WriteAllText(At(file), text);
            if (isNew)
            {
                File.SetUnixFileMode(At(file), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
        }

        /// <summary>Changes a text in a file; it must be there.</summary>
        public void Replace(string file, string from, string to)
        {
            var text = File.ReadAllText(At(file));
            Assert.Contains(from, text, StringComparison.Ordinal);
            Write(file, text.Replace(from, to, StringComparison.Ordinal));
        }

        public void Configure(string from, string to) => Replace("gateway.yaml", from, to);

        public void Append(string yaml) =>
            Write("gateway.yaml", File.ReadAllText(At("gateway.yaml")) + "\n" + yaml + "\n");

        /// <summary>Serves another certificate, of the laboratory's authority.</summary>
        public void Serve(LaboratoryCertificates.Issued pair, string? chain = null)
        {
            Write("certs/tls.crt", pair.Certificate + (chain ?? laboratory.Certificates.IntermediatePem));
            Write("certs/tls.key", pair.Key);
            AuthorityPem ??= laboratory.Certificates.RootPem;
        }

        internal Task<Diagnosis> ExamineAsync()
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPem(AuthorityPem ?? File.ReadAllText(At("certs/ca.crt")));
            return ServerDoctor.ExamineAsync(
                At("gateway.yaml"), Environment,
                options => new ExaminedGateway(options, Time)
                {
                    Authorities = authorities,
                    MayProbeUploads = ProbesUploads,
                },
                CancellationToken.None);
        }

        public void Dispose() => System.IO.Directory.Delete(Folder, recursive: true);
    }
}
