using Gateway.Client.Doctor.Client;
using Gateway.Tests.Support;

namespace Gateway.Tests.Client.Doctor;

/// <summary>Proxies as Go's httpproxy package, systemd and dockerd read them.</summary>
public sealed class ProxySettingsTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("registry.example.com", "https://registry.example.com", true)]
    [InlineData("example.com", "https://registry.example.com", true)]
    [InlineData("example.com", "https://badexample.com", false)]
    [InlineData(".example.com", "https://registry.example.com", true)]
    [InlineData(".example.com", "https://example.com", false)]
    [InlineData("*.example.com", "https://registry.example.com", true)]
    [InlineData("*.example.com", "https://example.com", false)]
    [InlineData("EXAMPLE.com", "https://registry.example.com", true)]
    [InlineData("other.com, example.com ,", "https://registry.example.com", true)]
    [InlineData("example.com:443", "https://registry.example.com", true)]
    [InlineData("example.com:8443", "https://registry.example.com", false)]
    [InlineData("example.com:8443", "https://registry.example.com:8443", true)]
    [InlineData("example.com:", "https://registry.example.com", true)]
    [InlineData("example.com:x", "https://registry.example.com", false)]
    [InlineData("https://registry.example.com/", "https://registry.example.com", false)]
    [InlineData("10.0.0.0/8", "https://10.1.2.3", true)]
    [InlineData("10.9.9.9/8", "https://10.1.2.3", true)] // Go masks it
    [InlineData("10.0.0.0/33", "https://10.1.2.3", false)]
    [InlineData("10.0.0.0/8", "https://11.1.2.3", false)]
    [InlineData("10.0.0.0/8", "https://registry.example.com", false)]
    [InlineData("10.1.2.3", "https://10.1.2.3:5000", true)]
    [InlineData("10.1.2.3:5000", "https://10.1.2.3:5000", true)]
    [InlineData("10.1.2.3:5001", "https://10.1.2.3:5000", false)]
    [InlineData("10", "https://10.1.2.3", false)]
    [InlineData("2001:db8::1", "https://[2001:db8::1]", true)]
    [InlineData("[2001:db8::1]:5000", "https://[2001:db8::1]:5000", true)]
    [InlineData("[2001:db8::1]:5001", "https://[2001:db8::1]:5000", false)]
    [InlineData("[2001:db8::1]", "https://[2001:db8::1]", false)] // brackets need a port there
    [InlineData("2001:db8::/32", "https://[2001:db8::1]", true)]
    [InlineData("::ffff:10.1.2.3", "https://10.1.2.3", true)]
    [InlineData("*", "https://anything.example.com", true)]
    [InlineData("other.com,*", "https://10.1.2.3", true)]
    [InlineData("", "https://registry.example.com", false)]
    [InlineData(":443", "https://registry.example.com", false)]
    [InlineData("", "https://localhost:5000", true)]
    [InlineData("", "https://127.0.0.9", true)]
    [InlineData("", "https://[::1]", true)]
    [InlineData("", "https://localhost.example.com", false)]
    public void For_NoProxy_DecidesAsGoDoes(string noProxy, string url, bool isExempt) => Assert.Equal(
        isExempt ? null : "http://proxy:3128",
        new ProxySettings("x", "x", "http://proxy:3128", null, noProxy).For(new Uri(url)));

    [Fact]
    public void For_Scheme_TakesItsOwnProxy()
    {
        var settings = new ProxySettings("x", "x", "http://s:1", "http://p:1", null);
        Assert.Equal("http://s:1", settings.For(new Uri("https://a.example.com")));
        Assert.Equal("http://p:1", settings.For(new Uri("http://a.example.com")));
    }

    [Fact]
    public void OfEnvironment_CapitalsFirst_EmptyIsNone()
    {
        var settings = ProxySettings.OfEnvironment(
            Machine(
                ("HTTPS_PROXY", "http://capital:1"), ("https_proxy", "http://small:1"), ("HTTP_PROXY", ""),
                ("http_proxy", "http://small:2")));
        Assert.Equal(("http://capital:1", "http://small:2"), (settings.Https, settings.Http));
        Assert.Equal("", ProxySettings.OfEnvironment(Machine()).Source);
    }

    [Fact]
    public void OfService_SeveralOnOneLine_AllAreRead()
    {
        _root.Write(
            "etc/systemd/system/docker.service.d/proxy.conf",
            "[Service]\n# Environment=HTTPS_PROXY=http://no:1\nEnvironment=\"HTTPS_PROXY=http://u:p%%40@s:1\" "
                + "'NO_PROXY=a.example.com,b.example.com' HTTP_PROXY=http://p:1\n");
        var settings = OfDocker();
        Assert.Equal(
            ("http://u:p%40@s:1", "http://p:1", "a.example.com,b.example.com"),
            (settings.Https, settings.Http, settings.NoProxy));
        Assert.Equal("/etc/systemd/system/docker.service.d/proxy.conf", settings.Source);
    }

    [Fact]
    public void OfService_LastByFileNameCounts_EtcHidesTheSameName()
    {
        _root.Write("usr/lib/systemd/system/docker.service", "[Service]\nEnvironment=HTTPS_PROXY=http://unit:1\n");
        Assert.Equal("http://unit:1", OfDocker().Https);
        _root.Write(
            "usr/lib/systemd/system/docker.service.d/20.conf", "[Service]\nEnvironment=HTTPS_PROXY=http://vendor:1\n");
        _root.Write(
            "etc/systemd/system/docker.service.d/10.conf", "[Service]\nEnvironment=HTTPS_PROXY=http://first:1\n");
        Assert.Equal("http://vendor:1", OfDocker().Https);
        _root.Write("etc/systemd/system/docker.service.d/20.conf", "[Service]\n");
        Assert.Equal("http://first:1", OfDocker().Https);
        _root.Write("etc/systemd/system/docker.service.d/30.conf", "[Service]\nEnvironment=\n");
        Assert.Null(OfDocker().Https);
        _root.Write("etc/systemd/system/docker.service", "[Service]\nEnvironment=NO_PROXY=x\n");
        Assert.Null(OfDocker().NoProxy); // taken back as well
    }

    [Fact]
    public void OfService_EnvironmentFile_WinsOverLines_CapitalsBeforeSmall()
    {
        _root.Write("etc/default/docker", "# x\nHTTPS_PROXY='http://file:1'\nno_proxy=\"small\"\nOTHER=1\n");
        _root.Write(
            "etc/systemd/system/docker.service.d/a.conf",
            "[Service]\nEnvironmentFile=-/etc/default/docker\nEnvironment=HTTPS_PROXY=http://line:1 \\\n  "
                + "https_proxy=http://small:1\nEnvironment=NO_PROXY=capital\n");
        var settings = OfDocker();
        Assert.Equal(("http://file:1", "capital"), (settings.Https, settings.NoProxy));
        Assert.Contains("/etc/default/docker", settings.Source, StringComparison.Ordinal);
    }

    [Fact]
    public void OfService_DaemonJson_WinsWhereItSaysSomething()
    {
        _root.Write(
            "etc/systemd/system/docker.service.d/a.conf",
            "[Service]\nEnvironment=HTTPS_PROXY=http://unit:1 NO_PROXY=unit\n");
        _root.Write(
            "etc/docker/daemon.json", """{"proxies":{"https-proxy":"http://json:1","no-proxy":"","http-proxy":7}}""");
        var settings = OfDocker();
        Assert.Equal(("http://json:1", null, "unit"), (settings.Https, settings.Http, settings.NoProxy));
        _root.Write("etc/docker/daemon.json", """{"proxies":[]}""");
        Assert.Equal("http://unit:1", OfDocker().Https);
        Assert.Null(ProxySettings.OfService(Machine(), "containerd", "containerd").Https); // a service of its own
    }

    [Fact]
    public void IdleExemptions_NameWhatExemptsNothing() => Assert.Equal(
        ["https://registry.example.com/", "registry.example.com:5000"],
        new ProxySettings(
            "x", "x", "http://p:1", null,
            "https://registry.example.com/, registry.example.com:5000,registry.example.com,other").IdleExemptions(
                new Uri("https://registry.example.com")));

    [Theory]
    [InlineData("http://user:secret@proxy:3128", "http://…@proxy:3128")]
    [InlineData("user:secret@proxy:3128", "…@proxy:3128")]
    [InlineData("user:se//cret@proxy:3128", "…@proxy:3128")]
    [InlineData("http://user:se@cret@proxy:3128//", "http://…@proxy:3128//")]
    [InlineData("user:secret@proxy//", "…@proxy//")]
    [InlineData("user:secret://x@proxy", "…@proxy")]
    [InlineData("http://proxy:3128", "http://proxy:3128")]
    [InlineData(null, "no proxy")]
    public void Show_NeverTellsTheLogin(string? proxy, string shown) => Assert.Equal(shown, ProxyStep.Show(proxy));

    private ProxySettings OfDocker() => ProxySettings.OfService(Machine(), "docker", "dockerd");

    private ClientMachine Machine(params (string Name, string Value)[] environment) =>
        new(_root.Path, environment.ToDictionary(static one => one.Name, static one => one.Value));
}
