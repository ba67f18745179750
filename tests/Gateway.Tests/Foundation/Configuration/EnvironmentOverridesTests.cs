using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Tests.Server.Host.Configuration;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Foundation.Configuration;

public sealed class EnvironmentOverridesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_VariablesOverFile_Win()
    {
        var options = Load(
            ConfigurationSamples.Minimal,
            ("GATEWAY__PublicUrl", "https://localhost:18443"),
            ("GATEWAY__Listen__Https", "127.0.0.1:18443"),
            ("GATEWAY__Registries__0__Upstreams__0", "http://127.0.0.1:15000"),
            ("GATEWAY__Tls__HstsMaxAge", "1h30m"),
            ("GATEWAY__Authentication__Htpasswd__AllowShaCrypt", "true"),
            ("GATEWAY__Log__Level", "warning"));

        Assert.Equal("https://localhost:18443/", options.PublicUrl?.AbsoluteUri);
        Assert.Equal("127.0.0.1:18443", options.Listen.Https);
        Assert.Equal([new Uri("http://127.0.0.1:15000")], options.Registries[0].Upstreams);
        Assert.Equal("main", options.Registries[0].Name);
        Assert.Equal(TimeSpan.FromMinutes(90), options.Tls.HstsMaxAge);
        Assert.True(options.Authentication.Htpasswd!.AllowShaCrypt);
        Assert.Equal(LogLevel.Warning, options.Log.Level);
    }

    [Fact]
    public void Load_VariablesAlone_MakeAConfiguration()
    {
        var options = Load(
            "",
            ("GATEWAY__PUBLICURL", "https://registry.example.com"),
            ("gateway__registries__0__name", "main"),
            ("GATEWAY__registries__0__UPSTREAMS__0", "http://registry:5000"),
            ("GATEWAY__Registries__0__Upstreams__1", "http://second:5000"),
            ("GATEWAY__Tls__Certificates__0__Certificate", "tls.crt"),
            ("GATEWAY__Tls__Certificates__0__Key", "/keys/tls.key"),
            ("GATEWAY__Authentication__Htpasswd__File", "users.htpasswd"),
            ("GATEWAY__Policies", "policies"));

        Assert.Equal(
            ["http://registry:5000/", "http://second:5000/"],
            options.Registries[0].Upstreams.Select(static u => u.AbsoluteUri));
        Assert.Equal(Path.Combine(_folder.Path, "tls.crt"), options.Tls.Certificates[0].Certificate);
        Assert.Equal("/keys/tls.key", options.Tls.Certificates[0].Key);
        Assert.Equal(Path.Combine(_folder.Path, "policies"), options.Policies);
    }

    [Fact]
    public void Load_ElevenItemsFromVariables_KeepTheirOrder()
    {
        var variables = Enumerable.Range(0, 11).Select(static i => ($"GATEWAY__Hosts__{i}", $"host{i}")).ToArray();

        Assert.Equal(
            Enumerable.Range(0, 11).Select(static i => $"host{i}"),
            Load(ConfigurationSamples.Minimal, variables).Hosts);
    }

    [Fact]
    public void Load_EmptyVariable_UnsetsWhatMayBeUnset()
    {
        var file = ConfigurationSamples.Minimal + "listen: { http: \"*:8080\", management: \"127.0.0.1:8081\" }\n";

        var options = Load(file, ("GATEWAY__Listen__Http", ""), ("GATEWAY__Listen__Management", ""));

        Assert.Null(options.Listen.Http);
        Assert.Equal("", options.Listen.Management);
    }

    [Fact]
    public void Load_EmptyVariablesElsewhere_AreProblems()
    {
        Assert.Equal(
            """
            environment GATEWAY__Log__Level: log.level: is empty. Give it a value, or remove it.
            environment GATEWAY__Policies: policies: is empty. Set it in the file, or as GATEWAY__Policies.
            environment GATEWAY__Tls__HstsMaxAge: tls.hstsMaxAge: is empty. Give it a value, or remove it.
            """,
            Problems(
                ConfigurationSamples.Minimal, ("GATEWAY__Log__Level", ""), ("GATEWAY__Policies", ""),
                ("GATEWAY__Tls__HstsMaxAge", "")));
    }

    [Fact]
    public void Load_WrongValues_NameTheVariable()
    {
        Assert.Equal(
            """
            environment GATEWAY__PublicUrl: publicUrl: is not https (found "http://registry.example.com"). Write https://, even if a load balancer terminates TLS: clients send passwords to this URL.
            environment GATEWAY__Tls__HstsMaxAge: tls.hstsMaxAge: has no unit (found "60"). Write "60s" if seconds are meant, or another unit (d, h, m, s, ms).
            """,
            Problems(
                ConfigurationSamples.Minimal, ("GATEWAY__PublicUrl", "http://registry.example.com"),
                ("GATEWAY__Tls__HstsMaxAge", "60")));
    }

    [Fact]
    public void Load_VariablesThatNameNothing_AreProblemsWithTheNearestName()
    {
        Assert.Equal(
            """
            environment GATEWAY__Authentication__Htpasswd: names a section, not one value. Set one of its settings: GATEWAY__Authentication__Htpasswd__File, GATEWAY__Authentication__Htpasswd__MinimumCost, GATEWAY__Authentication__Htpasswd__MaximumCost, GATEWAY__Authentication__Htpasswd__AllowShaCrypt, GATEWAY__Authentication__Htpasswd__MaximumLossPercent.
            environment GATEWAY__Colour: names no setting. Known: GATEWAY__PublicUrl, GATEWAY__Hosts, GATEWAY__TrustedProxies, GATEWAY__Listen, GATEWAY__Tls, GATEWAY__Registries, GATEWAY__Authentication, GATEWAY__Policies, GATEWAY__TestPolicies, GATEWAY__RequireDocumentEnd, GATEWAY__Tokens, GATEWAY__State, GATEWAY__Redis, GATEWAY__Limits, GATEWAY__ContentCache, GATEWAY__Cors, GATEWAY__Telemetry, GATEWAY__Shutdown, GATEWAY__Audit, GATEWAY__Log.
            environment GATEWAY__Hosts: names a list, not one value. Set its items one by one, beginning with GATEWAY__Hosts__0.
            environment GATEWAY__Hosts__first: names no item of a list. Items are numbered: GATEWAY__Hosts__0.
            environment GATEWAY__Policies__0: continues below GATEWAY__Policies, which is one value. Set GATEWAY__Policies itself.
            environment GATEWAY__Registries__0__Credential__Pasword: names no setting. Did you mean GATEWAY__Registries__0__Credential__Password?
            environment GATEWAY__Registries__2__Name: there is no item 2. The list holds 1 so far; the next is number 1.
            environment GATEWAY__TLS__HstsMaxage__: continues below GATEWAY__Tls__HstsMaxAge, which is one value. Set GATEWAY__Tls__HstsMaxAge itself.
            """,
            Problems(
                ConfigurationSamples.Minimal,
                ("GATEWAY__Colour", "canary"),
                ("GATEWAY__Registries__0__Credential__Pasword", "canary"),
                ("GATEWAY__Registries__2__Name", "canary"),
                ("GATEWAY__Hosts", "canary"),
                ("GATEWAY__Hosts__first", "canary"),
                ("GATEWAY__Policies__0", "canary"),
                ("GATEWAY__TLS__HstsMaxage__", "canary"),
                ("GATEWAY__Authentication__Htpasswd", "canary")));
    }

    [Fact]
    public void Load_VariableTwiceInDifferentCase_IsAProblem()
    {
        Assert.Equal(
            "environment GATEWAY__PublicUrl: differs from GATEWAY__PUBLICURL in upper and lower case only. Remove one "
                + "of the two.",
            Problems(
                ConfigurationSamples.Minimal, ("GATEWAY__PublicUrl", "https://a"),
                ("GATEWAY__PUBLICURL", "https://b")));
    }

    [Fact]
    public void Load_FileHoldsOneValueWhereVariableExpectsAList_BlamesTheFile()
    {
        Assert.Equal(
            "gateway.yaml:6:8: hosts: is one value, but a list is expected. Write each item on a line of its own "
                + "below it, indented, with \"- \" before it.",
            Problems(ConfigurationSamples.Minimal + "hosts: a.example.com\n", ("GATEWAY__Hosts__1", "b.example.com")));
    }

    [Theory]
    [InlineData("GATEWAY_PORT", "8443")] // compose/up's own
    [InlineData("GATEWAY_SERVICE_HOST", "10.0.0.1")] // Kubernetes, for a service named gateway
    [InlineData("ASPNETCORE_HTTP_PORTS", "8080")] // .NET's container images
    [InlineData("ASPNETCORE_ENVIRONMENT", "Production")]
    [InlineData("DOTNET_gcServer", "1")]
    [InlineData("URLS", "http://example.com")] // nobody's in particular
    public void Load_OtherVariables_AreLetBe(string name, string value)
    {
        Assert.Equal("main", Load(ConfigurationSamples.Minimal, (name, value)).Registries[0].Name);
    }

    [Theory]
    [InlineData("ASPNETCORE_FORWARDEDHEADERS_ENABLED")]
    [InlineData("DOTNET_FORWARDEDHEADERS_ENABLED")]
    [InlineData("FORWARDEDHEADERS_ENABLED")]
    [InlineData("aspnetcore_ForwardedHeaders_Enabled")]
    public void Load_FrameworkWouldBelieveEveryForwardedHeader_IsAProblem(string name)
    {
        Assert.Equal(
            $"environment {name}: would make the gateway trust the X-Forwarded-For of every client. Remove it, and "
                + "name your load balancers in trustedProxies.",
            Problems(ConfigurationSamples.Minimal, (name, "true")));
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS")]
    [InlineData("DOTNET_URLS")]
    [InlineData("Kestrel__Endpoints__Extra__Url")]
    [InlineData("ASPNETCORE_Kestrel__Endpoints__Extra__Url")]
    public void Load_FrameworkWouldListenElsewhere_IsAProblem(string name)
    {
        Assert.Equal(
            $"environment {name}: does not set the addresses on which the gateway listens. Remove it, and set "
                + "listen.https (GATEWAY__Listen__Https).",
            Problems(ConfigurationSamples.Minimal, (name, "http://*:9999")));
    }

    [Fact]
    public void VariableOf_Key_NamesWhatIsRead()
    {
        Assert.Equal(
            "GATEWAY__Registries__0__Credential__PasswordFile",
            EnvironmentOverrides.VariableOf("registries[0].credential.passwordFile"));
    }

    private GatewayOptions Load(string text, params (string Name, string Value)[] environment) =>
        ConfigurationSamples.Load(_folder, text, environment);

    private string Problems(string text, params (string Name, string Value)[] environment) =>
        ConfigurationSamples.Problems(_folder, text, environment);
}
