using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Client.Doctor;
using Gateway.Client.Doctor.Client;
using Gateway.EndToEndTests.Support;
using Microsoft.AspNetCore.Http;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>
/// The fault laboratory, the client's side: what proxies, certificates and the client's own files do wrong.
/// </summary>
[Collection(DoctorMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class DoctorClientTests(Laboratory laboratory) : IAsyncLifetime
{
    private const string Host = TrustedHost.Name;

    private readonly string _root = Directory.CreateTempSubdirectory("gateway-client-").FullName;
    private readonly Dictionary<string, string> _environment = new() { ["HOME"] = "/home/dev", ["PATH"] = "/usr/bin" };
    private SpoilingFront? _front;

    public Task InitializeAsync() => laboratory.UntilWellAsync();

    public async Task DisposeAsync()
    {
        if (_front is not null)
        {
            await _front.DisposeAsync();
        }

        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task HealthyStack_HasNothingAboveInformation()
    {
        var diagnosis = await ExamineAsync(
            laboratory.Gateway.PublicUrl, File.ReadAllText(laboratory.Gateway.AuthorityFile), question => question with
            {
                User = "alice",
                Password = GatewaySettings.SampleUsers["alice"],
                Repository = "team-a/app",
                Origin = "https://ui.gateway.test",
                MayProbeUploads = true,
            });
        Findings.AssertWell(diagnosis);
        Assert.Contains(
            diagnosis.Findings,
            static finding => finding.Evidence.Contains("may pull, push", StringComparison.Ordinal));

        // The same through a proxy that does nothing wrong.
        Findings.AssertWell(await ThroughFrontAsync(static _ => { }));

        // And a machine whose clients were each told of the authority.
        Write("/etc/docker/certs.d/" + _front!.Url.Authority + "/ca.crt", laboratory.Certificates.RootPem);
        Write("/etc/containers/certs.d/" + _front.Url.Authority + "/ca.crt", laboratory.Certificates.RootPem);
        Write("/etc/containerd/certs.d/" + _front.Url.Authority + "/ca.pem", laboratory.Certificates.RootPem);
        Write(
            "/etc/containerd/certs.d/" + _front.Url.Authority + "/hosts.toml",
            $"server = \"{_front.Url}\"\n[host.\"{_front.Url}\"]\n  capabilities = [\"pull\", \"resolve\"]\n  ca = "
                + "\"ca.pem\"\n");
        var told = await ExamineAsync(_front.Url, authority: null);
        Findings.AssertWell(told);
        Assert.Equal(3, told.Findings.Count(static finding => finding.Evidence == "trusts the certificate"));
    }

    [Fact]
    public async Task OpenRegistry_WithoutAGateway_IsNamed()
    {
        var diagnosis = await ExamineAsync(laboratory.Registry.Address, authority: null);
        Assert.Contains(diagnosis.Findings, static finding => finding.Id == "CHL001");
        Assert.Contains(diagnosis.Findings, static finding => finding.Id == "TLS020");
        Assert.DoesNotContain(diagnosis.Findings, static finding => finding.Severity == Severity.Error);
    }

    public static TheoryData<string, string> Certificates => new()
    {
        { "expired", "TLS001" }, { "begins tomorrow", "TLS002" }, { "ends soon", "TLS003" },
        { "no intermediate", "TLS004" },
        { "other name", "TLS006" }, { "common name", "TLS010" }, { "for clients", "TLS014" },
        { "made anew", "TLS015" }, { "intercepted", "TLS024" }, { "intercepted by a product", "TLS024" },
    };

    [Theory]
    [MemberData(nameof(Certificates))]
    public async Task Certificate(string fault, string id)
    {
        using var again = new LaboratoryCertificates();
        using var others = new LaboratoryCertificates(fault == "intercepted" ? "Corporate Security" : "Zscaler");
        var (own, chain) = (laboratory.Certificates, laboratory.Certificates.IntermediatePem);
        var (pair, sent) = fault switch
        {
            "expired" => (own.Issue(Host, -30, -1), chain),
            "begins tomorrow" => (own.Issue(Host, 1, 30), chain),
            "ends soon" => (own.Issue(Host, -90, 5), chain),
            "no intermediate" => (own.Issue(Host), ""),
            "other name" => (own.Issue("other.gateway.test"), chain),
            "common name" => (own.Issue(host: null), chain),
            "for clients" => (own.Issue(Host, usage: "1.3.6.1.5.5.7.3.2"), chain),
            "made anew" => (again.Issue(Host), again.IntermediatePem),
            _ => (others.Issue(Host), others.IntermediatePem + others.RootPem),
        };
        await using var front = await SpoilingFront.StartAsync(laboratory.Gateway, pair, sent);
        Findings.AssertNamesFirst(await ExamineAsync(front.Url, own.RootPem), id);
    }

    [Theory]
    [InlineData("", "TLS019")]
    [InlineData("/etc/docker/daemon.json", "TLS021")]
    [InlineData("/etc/containerd/config.toml", "TLS022")]
    [InlineData("/etc/containers/registries.conf", "TLS023")]
    public async Task Authority_ThatAClientWasNotToldOf(string client, string id)
    {
        if (client.Length > 0)
        {
            Write(client, client.EndsWith("json", StringComparison.Ordinal) ? "{}" : "");
        }

        Findings.AssertNamesFirst(await ThroughFrontAsync(static _ => { }, authority: null), id);
    }

    [Fact]
    public async Task PlainHttp_OnTheTlsPort_AndNothingOfHttp()
    {
        await using var front = await SpoilingFront.StartAsync(
            laboratory.Gateway, laboratory.Certificates.Issue(Host), "", speaksTls: false);
        Findings.AssertNamesFirst(await ExamineAsync(front.Url, laboratory.Certificates.RootPem), "TLS025");

        using var listener = new TcpListener(IPAddress.Parse(TrustedHost.Address), 0);
        listener.Start();
        var closing = Task.Run(async () =>
        {
            for (var i = 0; i < 4; i++)
            {
                (await listener.AcceptSocketAsync()).Dispose();
            }
        });
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Findings.AssertNamesFirst(
            await ExamineAsync(new Uri($"https://{Host}:{port}"), laboratory.Certificates.RootPem), "TLS016");
    }

    [Fact]
    public async Task Name_WithoutAnAddress_PortClosed_WayDropped_HalfTheAddresses()
    {
        Findings.AssertNamesFirst(await ExamineAsync(new Uri("https://nowhere.gateway.test"), null), "NET003");
        Findings.AssertNamesFirst(
            await ExamineAsync(
                new Uri(string.Create(CultureInfo.InvariantCulture, $"https://{Host}:{TestPaths.FreePort()}")), null),
                "NET004");

        // A firewall that drops: nothing answers at all. And a second address, which leads nowhere.
        const string dead = "198.51.100.78";
        string[] rule = ["OUTPUT", "-d", dead, "-j", "DROP"];
        (await Cli.RunAsync("iptables", ["-I", .. rule])).Succeeded();
        var hosts = TrustedHost.ReadHosts();
        try
        {
            var dropped = await ExamineAsync(new Uri($"https://{dead}"), null);
            Findings.AssertNamesFirst(dropped, "NET004");
            Assert.Contains("firewall", dropped.Findings[0].Evidence, StringComparison.Ordinal);

            TrustedHost.WriteHosts(hosts + $"{dead} {Host}\n");
            var half = await ThroughFrontAsync(static _ => { });
            Findings.AssertNamesFirst(half, "NET011");
        }
        finally
        {
            TrustedHost.WriteHosts(hosts);
            (await Cli.RunAsync("iptables", ["-D", .. rule])).Succeeded();
        }
    }

    public static TheoryData<string, string> Between => new()
    {
        { "takes Authorization out", "CHL006" }, { "takes the challenge out", "CHL002" },
        { "breaks the challenge's quotes", "CHL002" },
        { "adds a challenge of its own", "CHL008" }, { "realm without TLS", "CHL003" }, { "realm elsewhere", "CHL003" },
        { "no token endpoint", "CHL004" }, { "captive portal", "CHL005" }, { "redirect", "CHL005" },
        { "down", "CHL007" }, { "refuses with 413", "UPL001" },
        { "collects bodies", "UPL002" }, { "clock an hour off", "TKN004" }, { "tokens for 20 s", "TKN003" },
        { "no token in the answer", "TKN002" },
        { "too many requests", "LIM010" }, { "few requests left", "LIM010" }, { "Location without TLS", "UPL003" },
        { "Location elsewhere", "UPL003" },
        { "changes bodies", "NET012" }, { "web application firewall", "UPL004" },
        { "answers preflights itself", "COR010" },
        { "every origin with credentials", "COR011" }, { "headers without Authorization", "COR012" },
    };

    [Theory]
    [MemberData(nameof(Between))]
    public async Task Proxy_InBetween(string fault, string id) =>
        Findings.AssertNamesFirst(await ThroughFrontAsync(front => Spoil(front, fault)), id);

    [Fact]
    public async Task SignIn_Refused_AndRightMissing()
    {
        Findings.AssertNamesFirst(
            await ThroughFrontAsync(static _ => { }, change: static question => question with { Password = "wrong" }),
            "TKN001");
        var missing = await ThroughFrontAsync(
            static _ => { }, change: static question => question with { Repository = "team-b/secret" });
        Findings.AssertNamesFirst(missing, "TKN005");
        Assert.DoesNotContain(
            GatewaySettings.SampleUsers["alice"], string.Join(' ', missing.Findings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Untrusted_NoPasswordIsSent()
    {
        var asked = new List<string>();
        var diagnosis = await ThroughFrontAsync(
            front => front.OnRequest = request =>
            {
                lock (asked)
                {
                    asked.Add(
                        request.Headers.TryGetValues("Authorization", out var values)
                            ? values.First().Split(' ')[0]
                            : "");
                }
            },
            authority: null);
        Assert.DoesNotContain("Basic", asked);
        Assert.Contains(
            diagnosis.Findings, static finding => finding.Id == "TKN" && finding.Severity == Severity.NotRun);
        Assert.NotEqual(0, DoctorReport.ExitCodeOf(diagnosis));
    }

    [Fact]
    public async Task Proxies_ThatDisagreeOrRefuseOrAreNotThere()
    {
        await using var proxy = await ForwardProxy.StartAsync();

        // The shell has one, and dockerd, which systemd starts, has none: and the other way round.
        _environment["HTTPS_PROXY"] = proxy.Url;
        Write("/etc/docker/daemon.json", "{}");
        await ThroughFrontAsync(static _ => { });
        Write($"/etc/docker/certs.d/{_front!.Url.Authority}/ca.crt", laboratory.Certificates.RootPem);
        Findings.AssertNamesFirst(await ThroughFrontAsync(static _ => { }), "PRX002");
        Write(
            "/etc/systemd/system/docker.service.d/proxy.conf",
            $"[Service]\nEnvironment=\"HTTPS_PROXY={proxy.Url}\" \"NO_PROXY=localhost\"\n");
        Findings.AssertWell(await ThroughFrontAsync(static _ => { }));
        Assert.True(proxy.Tunnels > 0);

        // An entry that names the host and exempts nothing.
        _environment["NO_PROXY"] = $"https://{Host}/";
        Findings.AssertNamesFirst(await ThroughFrontAsync(static _ => { }), "PRX003");
        _environment.Remove("NO_PROXY");

        proxy.Status = 407;
        Findings.AssertNamesFirst(await ThroughFrontAsync(static _ => { }), "PRX004");
        var closed = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{TestPaths.FreePort()}");
        Write("/etc/docker/daemon.json", $$$"""{"proxies":{"https-proxy":"{{{closed}}}"}}""");
        _environment["HTTPS_PROXY"] = closed;
        Findings.AssertNamesFirst(await ThroughFrontAsync(static _ => { }), "PRX004");

        // The neighbour: an exemption that exempts.
        Write(
            "/etc/docker/daemon.json", $$$"""{"proxies":{"https-proxy":"{{{closed}}}","no-proxy":".gateway.test"}}""");
        _environment["NO_PROXY"] = Host;
        Findings.AssertWell(await ThroughFrontAsync(static _ => { }));
    }

    [Fact]
    public async Task ClientsFiles_EachFault()
    {
        await ThroughFrontAsync(static _ => { });
        var name = _front!.Url.Authority;
        async Task First(string id, string file, string text)
        {
            Write(file, text);
            Findings.AssertNamesFirst(await ThroughFrontAsync(static _ => { }), id);
            File.Delete(_root + file);
        }

        const string config = "/home/dev/.docker/config.json";
        var login = Convert.ToBase64String(Encoding.UTF8.GetBytes("alice:" + GatewaySettings.SampleUsers["alice"]));
        var old = Convert.ToBase64String(Encoding.UTF8.GetBytes("alice:the-former-password"));
        Write($"/etc/docker/certs.d/{name}/ca.crt", laboratory.Certificates.RootPem);
        Write($"/etc/containers/certs.d/{name}/ca.crt", laboratory.Certificates.RootPem);
        Findings.AssertWell(await ThroughFrontAsync(static _ => { }));
        await First("DCK001", "/etc/docker/daemon.json", $$$"""{"insecure-registries":["{{{name}}}"]}""");
        await First(
            "DCK001", "/etc/containers/registries.conf.d/x.conf",
            $"[[registry]]\nlocation = \"{name}\"\ninsecure = true\n");
        await First("DCK002", "/etc/docker/daemon.json", "{ \"log-level\": \"info\", }}");
        await First("PRX005", config, """{"proxies":{"default":{"httpsProxy":"http://proxy.gateway.test:3128"}}}""");
        await First("DCK003", config, Logins(name, login));
        await First("DCK004", config, """{"credsStore":"nowhere"}""");
        await First("DCK005", config, Logins(Host, login));
        await First("DCK006", $"/etc/docker/certs.d/{name}/authority.cert", laboratory.Certificates.RootPem);
        await First("DCK008", config, "{ broken");
        await First("DCK010", config, Logins(name, old));

        File.Delete($"{_root}/etc/docker/certs.d/{name}/ca.crt");
        Directory.Delete($"{_root}/etc/docker/certs.d/{name}");
        await First("DCK007", $"/etc/docker/certs.d/{Host}/ca.crt", laboratory.Certificates.RootPem);
    }

    private static string Logins(string name, string auth) =>
        System.Text.Json.JsonSerializer.Serialize(
            new { auths = new Dictionary<string, object> { [name] = new { auth } } });

    private static void Spoil(SpoilingFront front, string fault)
    {
        void Header(string name, string value) => front.OnAnswer = (context, body) =>
        {
            context.Response.Headers[name] = value;
            return body;
        };

        switch (fault)
        {
            case "takes Authorization out":
                front.OnRequest = static request =>
                {
                    if (request.RequestUri!.AbsolutePath.StartsWith("/v2/", StringComparison.Ordinal))
                    {
                        request.Headers.Remove("Authorization");
                    }
                };
                break;
            case "takes the challenge out":
                front.OnAnswer = static (context, body) =>
                {
                    context.Response.Headers.Remove("WWW-Authenticate");
                    return body;
                };
                break;
            case "breaks the challenge's quotes":
                Header("WWW-Authenticate", "Bearer realm=\"https://registry.gateway.test/token,service=registry");
                break;
            case "adds a challenge of its own":
                front.OnAnswer = static (context, body) =>
                {
                    if (context.Response.Headers.WWWAuthenticate.Count > 0)
                    {
                        context.Response.Headers.Append("WWW-Authenticate", "Basic realm=\"proxy\"");
                    }

                    return body;
                };
                break;
            case "realm without TLS":
                Header("WWW-Authenticate", $"Bearer realm=\"http://{Host}/token\",service=\"x\"");
                break;
            case "realm elsewhere":
                Header("WWW-Authenticate", "Bearer realm=\"https://internal-name.gateway.test/token\",service=\"x\"");
                break;
            case "no token endpoint":
                Instead("/token", 404, "not found");
                break;
            case "captive portal":
                Instead("", 200, "<html>Welcome to the network. Sign in.</html>");
                break;
            case "redirect":
                front.Instead = static context =>
                {
                    context.Response.Redirect("https://portal.gateway.test/");
                    return Task.FromResult(true);
                };
                break;
            case "down":
                Instead("", 502, "<html>502 Bad Gateway</html>");
                break;
            case "refuses with 413":
                front.Instead = static context =>
                {
                    context.Response.StatusCode = context.Request.ContentLength > 1 << 20 ? 413 : 200;
                    return Task.FromResult(context.Response.StatusCode == 413);
                };
                break;
            case "collects bodies":
                front.Collects = true;
                break;
            case "clock an hour off":
                Header("Date", TimeProvider.System.GetUtcNow().AddHours(1).ToString("r", CultureInfo.InvariantCulture));
                break;
            case "tokens for 20 s":
                Body(
                    "/token",
                    static text => text.Replace("\"expires_in\":300", "\"expires_in\":20", StringComparison.Ordinal));
                break;
            case "no token in the answer":
                Body("/token", static _ => "{\"hello\":\"world\"}");
                break;
            case "too many requests":
                Instead("/v2/", 429, """{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}""");
                break;
            case "few requests left":
                front.OnAnswer = static (context, body) =>
                {
                    context.Response.Headers["ratelimit-limit"] = "100;w=21600";
                    context.Response.Headers["ratelimit-remaining"] = "3;w=21600";
                    return body;
                };
                break;
            case "Location without TLS" or "Location elsewhere":
                front.OnAnswer = (context, body) =>
                {
                    if (context.Response.Headers.Location is [{ } location] && context.Request.Method == "POST")
                    {
                        context.Response.Headers.Location = fault == "Location elsewhere"
                            ? "http://registry:5000/v2/x"
                            : new Uri(
                                new Uri($"http://{Host}:{front.Port}"),
                                new Uri(location, UriKind.RelativeOrAbsolute).IsAbsoluteUri
                                    ? new Uri(location).PathAndQuery
                                    : location).ToString();
                    }

                    return body;
                };
                break;
            case "changes bodies":
                Body("/manifests/", static text => text.Replace("{", "{ ", StringComparison.Ordinal));
                break;
            case "web application firewall":
                front.Instead = static context =>
                {
                    context.Response.StatusCode = context.Request.Method == "PATCH" ? 406 : 200;
                    return Task.FromResult(context.Request.Method == "PATCH");
                };
                break;
            case "answers preflights itself":
                front.Instead = static context =>
                {
                    context.Response.StatusCode = 401;
                    return Task.FromResult(context.Request.Method == "OPTIONS");
                };
                break;
            case "every origin with credentials":
                front.OnAnswer = static (context, body) =>
                {
                    context.Response.Headers.AccessControlAllowOrigin = "*";
                    context.Response.Headers.AccessControlAllowCredentials = "true";
                    return body;
                };
                break;
            case "headers without Authorization":
                Header("Access-Control-Allow-Headers", "*");
                break;
            default:
                throw new ArgumentException(fault);
        }

        void Instead(string path, int status, string text) => front.Instead = async context =>
        {
            if (!context.Request.Path.Value!.StartsWith(path, StringComparison.Ordinal))
            {
                return false;
            }

            context.Response.StatusCode = status;
            context.Response.ContentType = text.StartsWith('{') ? "application/json" : "text/html";
            await context.Response.WriteAsync(text);
            return true;
        };

        void Body(string path, Func<string, string> change) => front.OnAnswer = (context, body) =>
            context.Request.Path.Value!.Contains(path, StringComparison.Ordinal) && context.Response.StatusCode == 200
                ? Encoding.UTF8.GetBytes(change(Encoding.UTF8.GetString(body)))
                : body;
    }

    // The front goes on over the tests of one method, so that files can name its port.
    private async Task<Diagnosis> ThroughFrontAsync(
        Action<SpoilingFront> spoil, string? authority = "", Func<ClientQuestion, ClientQuestion>? change = null)
    {
        _front ??= await SpoilingFront.StartAsync(
            laboratory.Gateway, laboratory.Certificates.Issue(Host), laboratory.Certificates.IntermediatePem);
        spoil(_front);
        return await ExamineAsync(
            _front.Url, authority?.Length == 0 ? laboratory.Certificates.RootPem : authority, question =>
        {
            question = question with
            {
                User = "alice",
                Password = GatewaySettings.SampleUsers["alice"],
                Repository = "team-a/app",
                Origin = "https://ui.gateway.test",
                MayProbeUploads = true,
            };
            return change?.Invoke(question) ?? question;
        });
    }

    private Task<Diagnosis> ExamineAsync(
        Uri url, string? authority, Func<ClientQuestion, ClientQuestion>? change = null)
    {
        System.Security.Cryptography.X509Certificates.X509Certificate2Collection? authorities = null;
        if (authority is not null)
        {
            authorities = [];
            authorities.ImportFromPem(authority);
        }

        var question = new ClientQuestion(url)
        {
            Machine = new ClientMachine(_root, _environment),
            Authorities = authorities,
        };
        return ClientDoctor.ExamineAsync(
            change?.Invoke(question) ?? question, TimeProvider.System, CancellationToken.None);
    }

    private void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root + file)!);
        File.WriteAllText(_root + file, text);
    }
}
