using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Tests.Support;

/// <summary>A real <c>slapd</c> on free loopback ports, with TLS of an authority of its own.</summary>
internal sealed class LdapServerProcess : IAsyncDisposable
{
    public const string Base = "dc=example,dc=test";
    public const string BindDn = "cn=gateway," + Base;
    public const string BindPassword = "the gateway's own";

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-slapd-").FullName;
    private Process? _process;

    public int Port { get; private set; }

    public int TlsPort { get; private set; }

    public Uri Ldaps => new(string.Create(CultureInfo.InvariantCulture, $"ldaps://127.0.0.1:{TlsPort}"));

    public Uri Ldap => new(string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{Port}"));

    /// <summary>PEM file of the authority.</summary>
    public string AuthorityFile => Path.Combine(_folder, "ca.crt");

    /// <summary>What it was asked and answered so far, at the level "stats".</summary>
    public string Log
    {
        get
        {
            lock (_folder)
            {
                return _log.ToString();
            }
        }
    }

    private readonly System.Text.StringBuilder _log = new();

    /// <summary>Starts one with entries.</summary>
    /// <param name="ldif">Entries below the base and the gateway's account, which are there already.</param>
    /// <param name="hasTls">Whether it has a certificate.</param>
    /// <param name="host">The name in its certificate, beside nothing.</param>
    public static async Task<LdapServerProcess> StartAsync(string ldif, bool hasTls = true, string host = "127.0.0.1")
    {
        var server = new LdapServerProcess();
        server.WriteCertificates(host);
        var folder = server._folder;
        Directory.CreateDirectory(Path.Combine(folder, "db"));
        var tls = hasTls
            ? $"TLSCACertificateFile {folder}/ca.crt\nTLSCertificateFile {folder}/tls.crt\n"
                + $"TLSCertificateKeyFile {folder}/tls.key"
            : "";
        await File.WriteAllTextAsync(Path.Combine(folder, "slapd.conf"), $"""
            include /etc/ldap/schema/core.schema
            include /etc/ldap/schema/cosine.schema
            include /etc/ldap/schema/inetorgperson.schema
            modulepath /usr/lib/ldap
            moduleload back_mdb
            moduleload memberof
            pidfile {folder}/pid
            loglevel stats
            {tls}
            database mdb
            suffix "{Base}"
            rootdn "cn=root,{Base}"
            rootpw root-password
            directory {folder}/db
            overlay memberof
            memberof-dangling ignore
            access to attrs=userPassword by anonymous auth by * none
            access to * by dn.exact="{BindDn}" read by self read by anonymous auth by * none
            """);
        await File.WriteAllTextAsync(Path.Combine(folder, "data.ldif"), $"""
            dn: {Base}
            objectClass: dcObject
            objectClass: organization
            o: example
            dc: example

            dn: {BindDn}
            objectClass: person
            cn: gateway
            sn: gateway
            userPassword: {BindPassword}

            dn: ou=people,{Base}
            objectClass: organizationalUnit
            ou: people

            dn: ou=groups,{Base}
            objectClass: organizationalUnit
            ou: groups

            """);
        Run("slapadd", "-f", Path.Combine(folder, "slapd.conf"), "-l", Path.Combine(folder, "data.ldif"));
        (server.Port, server.TlsPort) = (FreePort.Next(), FreePort.Next());
        await server.StartAgainAsync();
        server.Modify(ldif, "-a"); // not by slapadd, which leaves memberOf out
        return server;
    }

    /// <summary>Starts it again with what it kept.</summary>
    public async Task StartAgainAsync()
    {
        var urls = string.Create(CultureInfo.InvariantCulture, $"ldap://127.0.0.1:{Port} ldaps://127.0.0.1:{TlsPort}");
        _process = Process.Start(new ProcessStartInfo(
            "/usr/sbin/slapd", ["-f", Path.Combine(_folder, "slapd.conf"), "-h", urls, "-d", "stats"])
        {
            RedirectStandardError = true,
        })!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_folder)
            {
                _log.AppendLine(line.Data);
            }
        };
        _process.BeginErrorReadLine();
        await Eventually.TrueAsync(async () =>
        {
            using var socket = new TcpClient();
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, TlsPort);
                return true;
            }
            catch (SocketException)
            {
                Assert.False(_process.HasExited, Log);
                return false;
            }
        });
    }

    /// <summary>Sends a signal: STOP makes it hang, CONT goes on.</summary>
    public async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", ["-" + name, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Ends it.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Changes entries (ldapmodify).</summary>
    public void Modify(string ldif, params string[] options)
    {
        var file = Path.Combine(_folder, "change.ldif");
        File.WriteAllText(file, ldif.ReplaceLineEndings("\n"));
        Run(
            "ldapmodify",
            ["-x", "-H", Ldap.ToString(), "-D", "cn=root," + Base, "-w", "root-password", "-f", file, .. options]);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static void Run(string command, params string[] arguments)
    {
        var path = command == "slapadd" ? "/usr/sbin/slapadd" : command;
        using var process = Process.Start(
            new ProcessStartInfo(path, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command}: {error}");
    }

    private void WriteCertificates(string host)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var authorityKey = RSA.Create(2048);
        var authority = new CertificateRequest(
            "CN=Directory CA", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var root = authority.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=" + host, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(root, now.AddDays(-1), now.AddDays(29), [1, 2, 3, 4]);
        File.WriteAllText(Path.Combine(_folder, "ca.crt"), root.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "tls.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "tls.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
