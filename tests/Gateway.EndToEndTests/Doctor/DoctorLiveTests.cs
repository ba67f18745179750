using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Gateway.Client.Doctor;
using Gateway.EndToEndTests.Support;
using Gateway.Tests.Server.SignIn.Issuers;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.EndToEndTests.Doctor;

/// <summary>The fault laboratory: faults of the programs that run beside the gateway, and of the machine.</summary>
[Collection(DoctorMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class DoctorLiveTests(Laboratory laboratory) : IAsyncLifetime
{
    private readonly Laboratory.Site _site = laboratory.Copy();

    public Task InitializeAsync() => laboratory.UntilWellAsync();

    public Task DisposeAsync()
    {
        _site.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Redis_DownAndHanging()
    {
        await laboratory.Redis.SignalAsync("STOP");
        try
        {
            await FirstAsync("RED001");
        }
        finally
        {
            await laboratory.Redis.SignalAsync("CONT");
        }

        await laboratory.Redis.KillAsync();
        try
        {
            await FirstAsync("RED001");
        }
        finally
        {
            await laboratory.Redis.StartAgainAsync();
        }
    }

    [Theory]
    [InlineData("RED002", "requirepass", "secret", "requirepass", "")]
    [InlineData("RED004", "maxmemory-policy", "allkeys-lru", "maxmemory-policy", "noeviction")]
    [InlineData("RED007", "maxmemory", "1kb", "maxmemory", "0")]
    public async Task Redis_Misconfigured(string id, string name, string value, string back, string backTo)
    {
        if (id == "RED004")
        {
            await laboratory.Redis.CommandAsync("CONFIG", "SET", "maxmemory", "512mb");
        }

        await laboratory.Redis.CommandAsync("CONFIG", "SET", name, value);
        try
        {
            await FirstAsync(id);
        }
        finally
        {
            string[] password = id == "RED002" ? ["-a", value, "--no-auth-warning"] : [];
            await laboratory.Redis.CommandAsync([.. password, "CONFIG", "SET", back, backTo]);
            await laboratory.Redis.CommandAsync("CONFIG", "SET", "maxmemory", "0");
        }

        Findings.AssertWell(await WellAgainAsync());
    }

    [Fact]
    public async Task Redis_ReadOnly()
    {
        await laboratory.Redis.CommandAsync(
            "REPLICAOF", "127.0.0.1", TestPaths.FreePort().ToString(CultureInfo.InvariantCulture));
        try
        {
            await FirstAsync("RED006");
        }
        finally
        {
            await laboratory.Redis.CommandAsync("REPLICAOF", "NO", "ONE");
        }
    }

    [Fact]
    public async Task Redis_NodeOfACluster()
    {
        await using var node = await RedisServer.StartAsync("--cluster-enabled", "yes");
        _site.Configure($"127.0.0.1:{laboratory.Redis.Port}", node.Options.Server);

        await FirstAsync("RED010");
    }

    [Fact]
    public async Task Redis_BySentinels()
    {
        await using var servers = await RedisSentinels.StartAsync();
        var sentinels = string.Join(
            ", ", servers.Sentinels.Select(static sentinel => $"\"{sentinel.Options.Server}\""));
        _site.Configure(
            $"server: \"127.0.0.1:{laboratory.Redis.Port}\"",
            $"password: {RedisSentinels.Password}, sentinel: {{ service: other, password:"
                + $" {RedisSentinels.SentinelPassword}, servers: [ {sentinels} ] }}");
        _site.Append("state: { store: redis }\ntokens: { keys: { store: redis, password: a-password-for-the-keys } }");
        await FirstAsync("RED013");

        _site.Configure("service: other", $"service: {RedisSentinels.Service}");
        await FirstAsync("RED012");

        await servers.Primary.CommandAsync(
            "-a", RedisSentinels.Password, "--no-auth-warning", "CONFIG", "SET", "min-replicas-to-write", "1");
        Findings.AssertWell(await WellAgainAsync());

        await servers.Sentinels[0].KillAsync();
        await FirstAsync("RED011");
    }

    [Fact]
    public async Task Redis_HoldsTokensWithoutWritingThem()
    {
        _site.Append("state: { store: redis }\ntokens: { keys: { store: redis, password: a-password-for-the-keys } }");
        Findings.AssertWell(await WellAgainAsync());
        await laboratory.Redis.CommandAsync("CONFIG", "SET", "appendonly", "no");
        try
        {
            await FirstAsync("RED005");
        }
        finally
        {
            await laboratory.Redis.CommandAsync("CONFIG", "SET", "appendonly", "yes");
        }
    }

    [Fact]
    public async Task Directory_Down()
    {
        await laboratory.Directory.KillAsync();
        try
        {
            await FirstAsync("LDP001");
        }
        finally
        {
            await laboratory.Directory.StartAgainAsync();
        }
    }

    [Fact]
    public async Task Provider_CallsItselfOtherwise()
    {
        await laboratory.Provider.KillAsync();
        await laboratory.Provider.StartAsync("first", laboratory.Gateway.Authority, issuer: "http://127.0.0.1:1/other");
        try
        {
            await FirstAsync("ISS002");
        }
        finally
        {
            await laboratory.Provider.KillAsync();
            await laboratory.Provider.StartAsync("first", laboratory.Gateway.Authority);
        }
    }

    [Theory]
    [InlineData("ISS003")]
    [InlineData("ISS004")]
    [InlineData("ISS005")]
    public async Task Issuer_OfJobs(string id)
    {
        var pair = laboratory.Certificates.Issue("localhost");
        using var loose = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(
            pair.Certificate, pair.Key);
        using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadPkcs12(
            loose.Export(System.Security.Cryptography.X509Certificates.X509ContentType.Pkcs12), null);
        await using var issuer = await TestIssuer.StartAsync(certificate: id == "ISS004" ? certificate : null);
        _site.Configure(
            "oidc: {",
            $$"""workloads: { jobs: { issuer: "{{issuer.Url}}", audience: "https://registry.gateway.test", rules: [ { name: all, subject: "job:*", as: "{sub}" } ] } }, oidc: {""");
        if (id != "ISS004")
        {
            Findings.AssertWell(await _site.ExamineAsync());
        }

        issuer.OnKeys = id == "ISS003"
            ? static context => context.Response.WriteAsync("""{"keys":[{"kty":"oct","k":"AAAA"}]}""")
            : null;
        issuer.OnDocument = id == "ISS005" ? context =>
        {
            context.Response.Headers.Date = TimeProvider.System.GetUtcNow()
                .AddHours(-1)
                .ToString("r", CultureInfo.InvariantCulture);
            return context.Response.WriteAsync("{}");
        }
        : null;
        await FirstAsync(id);
    }

    [Fact]
    public async Task Upstream_WithItsOwnSignIn()
    {
        File.WriteAllText(_site.At("registry.htpasswd"), File.ReadAllText(_site.At("users.htpasswd")));
        await using var registry = await RegistryProcess.StartAsync(new RegistrySettings
        {
            AuthenticationYaml = $"  htpasswd: {{ realm: registry, path: {_site.At("registry.htpasswd")} }}",
        });
        _site.Configure(laboratory.Registry.Address.ToString(), registry.Address.ToString());
        await FirstAsync("UPS004");

        // The neighbour: with its credential all is well.
        _site.Configure(
            "upstreams: [",
            $$"""credential: { username: admin, password: "{{GatewaySettings.SampleUsers["admin"]}}" }, upstreams: [""");
        Findings.AssertWell(await _site.ExamineAsync());
    }

    [Fact]
    public async Task Upstream_ThatDoesNotKnowTheKeys()
    {
        _site.Write("others.crt", laboratory.Certificates.RootPem);
        await using var registry = await RegistryProcess.StartAsync(new RegistrySettings
        {
            AuthenticationYaml = $"  token: {{ realm: \"{laboratory.Gateway.PublicUrl}token\", service: registry, "
                + $"issuer: other, rootcertbundle: {_site.At("others.crt")} }}",
        });
        _site.Configure(laboratory.Registry.Address.ToString(), registry.Address.ToString());
        _site.Configure("upstreams: [", "forwardToken: true, upstreams: [");
        await FirstAsync("UPS007");
    }

    [Theory]
    [InlineData("UPS005", "REGISTRY_HTTP_HOST", "https://elsewhere.gateway.test")]
    [InlineData("UPS010", "REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: true}")]
    public async Task Upstream_Misconfigured(string id, string variable, string value)
    {
        await using var registry = await RegistryProcess.StartAsync(
            new RegistrySettings { Environment = new Dictionary<string, string> { [variable] = value } });
        _site.Configure(laboratory.Registry.Address.ToString(), registry.Address.ToString());
        await FirstAsync(id);
    }

    [Theory]
    [InlineData("https://bucket.example.com/x?signature=y", null, null)]
    [InlineData("https://bucket.example.com/x?signature=y", "[ bucket.example.com ]", null)]
    [InlineData("https://bucket.example.com/x?signature=y", "[ other.example.com ]", "UPS012")]
    [InlineData("http://bucket.example.com/x?signature=y", null, "UPS012")]
    [InlineData("https://user@bucket.example.com/x?signature=y", null, "UPS012")]
    public async Task Upstream_ThatSendsClientsElsewhere(string location, string? allow, string? id)
    {
        using var client = new HttpClient { BaseAddress = laboratory.Registry.Address };
        var asked = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var front = await StartAsync(async context =>
        {
            asked.Enqueue($"{context.Request.Method} {context.Request.Path}");
            if (context.Request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal))
            {
                context.Response.StatusCode = 307;
                context.Response.Headers.Location = location;
                return;
            }

            using var request = new HttpRequestMessage(
                new HttpMethod(context.Request.Method), context.Request.Path + context.Request.QueryString);
            request.Headers.TryAddWithoutValidation("Accept", (IEnumerable<string?>)context.Request.Headers.Accept);
            using var answer = await client.SendAsync(request);
            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";
            await answer.Content.CopyToAsync(context.Response.Body);
        });
        _site.ProbesUploads = false;
        _site.Configure(laboratory.Registry.Address.ToString(), front.Urls.Single());
        if (allow is not null)
        {
            _site.Configure("upstreams: [", $"redirects: {{ allow: {allow} }}, upstreams: [");
        }

        if (id is not null)
        {
            await FirstAsync(id);
        }
        else
        {
            var diagnosis = await _site.ExamineAsync();
            Findings.AssertWell(diagnosis);
            Assert.Equal(
                "clients are sent to https://bucket.example.com for blobs",
                Assert.Single(diagnosis.Findings, static finding => finding.Id == "UPS011").Evidence);
            // a link that downloads
            Assert.DoesNotContain("signature", string.Concat(diagnosis.Findings), StringComparison.Ordinal);
        }

        Assert.All(asked, static request => Assert.StartsWith("GET ", request, StringComparison.Ordinal));
        Assert.InRange(asked.Count, 5, 16);
    }

    [Fact]
    public async Task Upstream_OpenToTheWorld()
    {
        using var listener = new TcpListener(IPAddress.Parse(TrustedHost.Address), laboratory.Registry.Port);
        listener.Start();
        using var ending = new CancellationTokenSource();
        var serving = ForwardAsync(listener, laboratory.Registry.Port, ending.Token);
        await FirstAsync("UPS003");
        await ending.CancelAsync();
        await serving;
    }

    [Fact]
    public async Task Upstream_ClockAnHourOff()
    {
        await using var front = await StartAsync(static context =>
        {
            context.Response.Headers.Date = TimeProvider.System.GetUtcNow()
                .AddHours(1)
                .ToString("r", CultureInfo.InvariantCulture);
            context.Response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";
            return context.Response.WriteAsync(context.Request.Path == "/v2/" ? "{}" : """{"repositories":[]}""");
        });
        _site.ProbesUploads = false;
        _site.Configure(laboratory.Registry.Address.ToString(), front.Urls.Single());
        await FirstAsync("CLK001");
    }

    [Fact]
    public async Task Upstream_WithACertificateThatNobodyTrusts()
    {
        var pair = laboratory.Certificates.Issue("localhost");
        await using var front = await SpoilingFront.StartAsync(
            laboratory.Gateway, pair, laboratory.Certificates.IntermediatePem);
        _site.Configure(
            laboratory.Registry.Address.ToString(),
            string.Create(CultureInfo.InvariantCulture, $"https://{TrustedHost.Name}:{front.Port}"));
        await FirstAsync("UPS006");
    }

    [Fact]
    public async Task Port_TakenByAnother()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _site.Configure(
            $"127.0.0.1:{laboratory.Gateway.Management.Port}",
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{TestPaths.FreePort()}"));
        _site.Configure(
            $"{TrustedHost.Address}:{laboratory.Gateway.Port}",
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"));
        await FirstAsync("NET001");
    }

    [Fact]
    public async Task Address_OfNoInterface()
    {
        _site.Configure(
            $"127.0.0.1:{laboratory.Gateway.Management.Port}",
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{TestPaths.FreePort()}"));
        _site.Configure($"{TrustedHost.Address}:{laboratory.Gateway.Port}", "203.0.113.7:8443");
        await FirstAsync("NET010");
    }

    [Fact]
    public async Task RealmLeadsElsewhere_AndNoRegistryAtThePublicUrl()
    {
        var pair = laboratory.Certificates.Issue(TrustedHost.Name);
        await using var front = await SpoilingFront.StartAsync(
            laboratory.Gateway, pair, laboratory.Certificates.IntermediatePem);
        _site.Serve(pair);
        _site.Configure(
            $"publicUrl: https://{laboratory.Gateway.Authority}",
            string.Create(CultureInfo.InvariantCulture, $"publicUrl: https://{TrustedHost.Name}:{front.Port}"));
        await laboratory.Provider.KillAsync();
        await laboratory.Provider.StartAsync(
            "first", string.Create(CultureInfo.InvariantCulture, $"{TrustedHost.Name}:{front.Port}"));
        try
        {
            Findings.AssertWell(await _site.ExamineAsync()); // a front that does nothing wrong
            front.OnAnswer = static (context, body) =>
            {
                context.Response.Headers.WWWAuthenticate = "Bearer realm=\"https://other.gateway.test/token\","
                    + "service=\"x\"";
                return body;
            };
            await FirstAsync("NET007");
            front.Instead = static async context =>
            {
                await context.Response.WriteAsync("<html>It works!</html>");
                return true;
            };
            await FirstAsync("NET006");
        }
        finally
        {
            await laboratory.Provider.KillAsync();
            await laboratory.Provider.StartAsync("first", laboratory.Gateway.Authority);
        }
    }

    [Fact]
    public async Task RunningGateway_RefusedTheNewestPolicies()
    {
        var file = Path.Combine(laboratory.Gateway.Folder, "policies", "policy.yaml");
        var good = File.ReadAllText(file);
        File.WriteAllText(file, good.Replace("role: owner", "rolle: owner", StringComparison.Ordinal));
        try
        {
            using var client = new HttpClient();
            await Eventually.TrueAsync(
                async () => (await client.GetStringAsync(new Uri(laboratory.Gateway.Management, "/readyz"))).Contains(
                    "last good", StringComparison.Ordinal));
            await FirstAsync("RUN001");
        }
        finally
        {
            File.WriteAllText(file, good);
            using var client = new HttpClient();
            await Eventually.TrueAsync(
                async () => !(await client.GetStringAsync(new Uri(laboratory.Gateway.Management, "/readyz"))).Contains(
                    "last good", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task User_OfNoFile()
    {
        // Users come from the file alone, so a rule for another one is a slip.
        var yaml = File.ReadAllText(_site.At("gateway.yaml"));
        var start = yaml.IndexOf("authentication:", StringComparison.Ordinal);
        var end = yaml.IndexOf("policies:", StringComparison.Ordinal);
        _site.Write(
            "gateway.yaml", yaml[..start] + "authentication: { htpasswd: { file: users.htpasswd } }\n" + yaml[end..]);
        Findings.AssertWell(await _site.ExamineAsync());
        _site.Replace(
            "policies/policy.yaml", "rules:",
            "rules:\n  - { name: typo, to: [ \"user:alise\" ], role: reader, on: [ \"team-b/**\" ] }");
        await FirstAsync("POL011");
    }

    [Fact]
    public async Task Token_EndsSoon()
    {
        (await GatewayProcess.RunCommandAsync(
            ["token", "create", "--config", _site.At("gateway.yaml"), "deploy", "--robot", "ci", "--scope", "team-a/"
                + "**:pull", "--expires", "100d"])).Succeeded();
        Findings.AssertWell(await _site.ExamineAsync());
        _site.Time = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(95));
        var diagnosis = await _site.ExamineAsync();
        Assert.Contains(
            diagnosis.Findings,
            static finding => finding.Id == "ROT001"
                && finding.Fix!.StartsWith("gateway token rotate", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Machine_DiskFullAndTooFewFiles()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-small-disk-").FullName;
        (await Cli.RunAsync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", folder])).Succeeded();
        try
        {
            _site.Configure(
                "audit: { file: { path: audit.jsonl } }", $"audit: {{ file: {{ path: {folder}/audit.jsonl }} }}");
            await FirstAsync("MAC001");
        }
        finally
        {
            (await Cli.RunAsync("umount", [folder])).Succeeded();
            Directory.Delete(folder);
        }

        _site.Configure($"{folder}/audit.jsonl", "audit.jsonl");
        var answer = await CommandAsync("prlimit", ["--nofile=1000:1000", "dotnet", Program]);
        Assert.Equal(1, answer.ExitCode);
        Assert.Equal("MAC002", First(answer.Output));
    }

    [Fact]
    public async Task Command_SaysTheSame_InBothForms()
    {
        var well = await CommandAsync("dotnet", [Program]);
        Assert.Equal(0, well.ExitCode);
        using var document = JsonDocument.Parse(well.Output);
        Assert.Equal("information", document.RootElement.GetProperty("worst").GetString());

        _site.Serve(laboratory.Certificates.Issue(TrustedHost.Name, -30, -1));
        var ill = await CommandAsync("dotnet", [Program]);
        Assert.Equal(2, ill.ExitCode);
        Assert.Equal("TLS001", First(ill.Output));
        var text = await Cli.RunAsync("dotnet", [Program, "doctor", "--config", _site.At("gateway.yaml")]);
        Assert.Equal(2, text.ExitCode);
        Assert.StartsWith("✘ TLS001", text.Output, StringComparison.Ordinal);
        Assert.Contains("docs/problems/TLS001.md", text.Output, StringComparison.Ordinal);
        Assert.Contains("fix", text.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(LdapServerProcess.BindPassword, text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SingleFile_RunsWhereThereIsNoDotnet()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-single-").FullName;
        try
        {
            (await Cli.RunAsync(
                Path.Combine(TestPaths.Repository, "tools", "single-file"), [folder],
                new CliSettings { Timeout = TimeSpan.FromMinutes(8) })).Succeeded();
            Assert.Equal(["gateway"], Directory.GetFiles(folder).Select(static file => Path.GetFileName(file)!));

            // Nothing of .NET is to be found, nor of the server's files.
            string[] run = [
                "-i", "HOME=" + folder, "PATH=/nonexistent", "DOTNET_ROOT=/nonexistent",
                Path.Combine(folder, "gateway"), "doctor",
            ];
            var answer = await Cli.RunAsync("env", [
                .. run, "--json", "--client", laboratory.Gateway.PublicUrl.ToString(), "--ca",
                laboratory.Gateway.AuthorityFile, "--root", folder,
                "--user", "alice", "--password-file", "-", "--repository", "team-a/app", "--upload-probe"],
                new CliSettings { Input = GatewaySettings.SampleUsers["alice"] + "\n" });
            Assert.Equal(0, answer.ExitCode);
            Assert.Contains("may pull, push", answer.Output, StringComparison.Ordinal);
            Assert.Contains(
                "docs/problems/TKN005.md",
                (await Cli.RunAsync("env", [.. run, "explain", "denied: requested access to the resource is denied"]))
                    .Succeeded(), StringComparison.Ordinal);
            Assert.StartsWith(
                "# TLS004", (await Cli.RunAsync("env", [.. run, "explain", "TLS004"])).Succeeded(),
                StringComparison.Ordinal);

            // docker's helper, under the name by which docker calls it.
            var helper = Path.Combine(folder, "docker-credential-gateway");
            File.CreateSymbolicLink(helper, "gateway");
            string[] ask = ["-i", "HOME=" + folder, helper];
            (await Cli.RunAsync("env", [.. ask, "store"], new CliSettings
            {
                Input = """{"ServerURL":"registry.example.com","Username":"alice","Secret":"a secret"}""",
            })).Succeeded();
            Assert.Contains(
                "a secret",
                (await Cli.RunAsync("env", [.. ask, "get"], new CliSettings { Input = "registry.example.com" }))
                    .Succeeded(),
                StringComparison.Ordinal);

            (await Cli.RunAsync(Path.Combine(folder, "gateway"), ["serve"])).FailedWith("(found \"serve\")");
            (await Cli.RunAsync(Path.Combine(folder, "gateway"), ["doctor"])).FailedWith("Give --client");
            await SaysThatOpenSslIsMissingAsync(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // A machine that has the C library and nothing else.
    private static async Task SaysThatOpenSslIsMissingAsync(string folder)
    {
        var root = Directory.CreateDirectory(Path.Combine(folder, "machine")).FullName;
        var libraries = (await Cli.RunAsync("ldd", [Path.Combine(folder, "gateway")])).Succeeded()
            .Split(' ', '\n', '\t').Where(static word => word.StartsWith('/'));
        foreach (var file in (string[])[Path.Combine(folder, "gateway"), .. libraries])
        {
            var place = file.StartsWith(folder, StringComparison.Ordinal) ? "/gateway" : file;
            Directory.CreateDirectory(root + Path.GetDirectoryName(place));
            File.Copy(file, root + place);
        }

        var doctor = await Cli.RunAsync("chroot", [root, "/gateway", "doctor", "--client", "https://localhost"]);
        Assert.Equal(1, doctor.ExitCode);
        Assert.StartsWith("gateway: OpenSSL is missing on this machine", doctor.Error, StringComparison.Ordinal);
        Assert.Single(doctor.Error.Trim().Split('\n'));
        Assert.StartsWith(
            "# TLS004", (await Cli.RunAsync("chroot", [root, "/gateway", "doctor", "explain", "TLS004"])).Succeeded(),
            StringComparison.Ordinal);
        (await Cli.RunAsync("chroot", [root, "/gateway", "--version"])).Succeeded();
        (await Cli.RunAsync("chroot", [root, "/gateway", "login", "--help"])).Succeeded();
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "gateway.dll");

    private static string? First(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("findings")[0].GetProperty("id").GetString();
    }

    private Task<CliResult> CommandAsync(string program, string[] before) => Cli.RunAsync(
        program,
        [
            .. before, "doctor", "--json", "--upload-probe", "--config", _site.At("gateway.yaml"), "--ca",
            _site.AuthorityPem is null ? _site.At("certs/ca.crt") : Authority(),
        ]);

    private string Authority()
    {
        File.WriteAllText(_site.At("meant.crt"), _site.AuthorityPem);
        return _site.At("meant.crt");
    }

    private async Task FirstAsync(string id) => Findings.AssertNamesFirst(await _site.ExamineAsync(), id);

    // The running gateway notices a moment later that what it needs is back.
    private async Task<Diagnosis> WellAgainAsync()
    {
        await Eventually.TrueAsync(
            async () => (await _site.ExamineAsync()).Worst <= Severity.Information, TimeSpan.FromSeconds(30));
        return await _site.ExamineAsync();
    }

    private static async Task<WebApplication> StartAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return app;
    }

    private static async Task ForwardAsync(TcpListener listener, int port, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                using var from = await listener.AcceptTcpClientAsync(cancellationToken);
                using var to = new TcpClient();
                await to.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
                await Task.WhenAny(
                    from.GetStream().CopyToAsync(to.GetStream(), cancellationToken),
                    to.GetStream().CopyToAsync(from.GetStream(), cancellationToken));
            }
        }
        catch (OperationCanceledException)
        {
            // the test is over
        }
    }
}
