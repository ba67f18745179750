using System.Text;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;
using Gateway.Server.Host.Configuration;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Host.Configuration;

public sealed class ConfigurationLoaderTests : IDisposable
{
    private static readonly Dictionary<string, string> NoEnvironment = [];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_ShortestFile_HasTheSecureDefaults()
    {
        var options = Load(ConfigurationSamples.Minimal);

        Assert.Equal("https://registry.example.com/", options.PublicUrl?.AbsoluteUri);
        Assert.Equal("*:8443", options.Listen.Https);
        Assert.Null(options.Listen.Http);
        Assert.Equal("127.0.0.1:8081", options.Listen.Management);
        Assert.Empty(options.TrustedProxies);
        Assert.Equal(Path.Combine(_folder.Path, "certs", "tls.crt"), options.Tls.Certificates[0].Certificate);
        Assert.Equal(TimeSpan.FromDays(365), options.Tls.HstsMaxAge);
        Assert.Equal(Path.Combine(_folder.Path, "users.htpasswd"), options.Authentication.Htpasswd?.File);
        Assert.False(options.Authentication.Htpasswd?.AllowShaCrypt);
        Assert.Equal(Path.Combine(_folder.Path, "policies"), options.Policies);
        Assert.Equal(LogLevel.Information, options.Log.Level);
    }

    [Fact]
    public void Load_RelativePathOfFile_ResolvesAgainstItsFolder()
    {
        _folder.Write("config/gateway.yaml", ConfigurationSamples.Minimal);
        var relative = Path.GetRelativePath(
            Directory.GetCurrentDirectory(), Path.Combine(_folder.Path, "config/gateway.yaml"));

        var options = ConfigurationLoader.Load(relative, NoEnvironment);

        Assert.Equal(Path.Combine(_folder.Path, "config", "policies"), options.Policies);
    }

    [Fact]
    public void Load_NullSection_HasItsDefaults()
    {
        Assert.Equal("*:8443", Load(ConfigurationSamples.Minimal + "listen:\nlog: ~\nhosts: null\n").Listen.Https);
    }

    [Fact]
    public void Load_WindowsLineEndsAndByteOrderMark_AreRead()
    {
        var text = "\ufeff" + ConfigurationSamples.Minimal.Replace("\n", "\r\n", StringComparison.Ordinal);

        Assert.Equal("main", Load(text).Registries[0].Name);
    }

    [Fact]
    public void Load_NoSuchFile_IsAProblem()
    {
        AssertOneProblem(
            Path.Combine(_folder.Path, "absent.yaml"), "no such file. Name the configuration file with --config FILE.");
    }

    [Fact]
    public void Load_Folder_IsAProblem()
    {
        AssertOneProblem(_folder.Path, "is a folder, not a file. Name the configuration file with --config FILE.");
    }

    [Fact]
    public void Load_EndlessFile_IsAProblem()
    {
        AssertOneProblem("/dev/zero", "is larger than 1 MiB. Name the configuration file with --config FILE.");
    }

    [Fact]
    public void Load_FileThatIsNoText_IsAProblem()
    {
        var path = Path.Combine(_folder.Path, "gateway.yaml");
        File.WriteAllBytes(path, [.. "publicUrl: "u8, 0xff]);

        AssertOneProblem(path, "is not UTF-8 text. Name the configuration file with --config FILE.");
    }

    [Fact]
    public void Load_FileAndEnvironmentWrong_ReportsBothInOneRun()
    {
        Assert.Equal(
            """
            gateway.yaml:6:1: colour: unknown key. Known at the top level: publicUrl, hosts, trustedProxies, listen, tls, registries, authentication, policies, testPolicies, requireDocumentEnd, tokens, state, redis, limits, contentCache, cors, telemetry, shutdown, audit, log.
            environment ASPNETCORE_URLS: does not set the addresses on which the gateway listens. Remove it, and set listen.https (GATEWAY__Listen__Https).
            environment GATEWAY__Log__Format: log.format: is not one of its values (found "xml"). Write one of: text, json.
            """,
            ConfigurationSamples.Problems(
                _folder,
                ConfigurationSamples.Minimal + "colour: red\n",
                ("GATEWAY__Log__Format", "xml"),
                ("ASPNETCORE_URLS", "http://*:80")));
    }

    [Fact]
    public void Load_DamagedFiles_NeverThrowAnythingElse()
    {
        var sample = File.ReadAllText(RepositoryRoot.PathOf("config", "gateway.yaml"));
        var random = new Random(20261);
        const string Pieces = "\t\n :-#[]{}\"'*&!|>%@`?,~\0\u00e9\ud83d\\<=0aZ";
        for (var round = 0; round < 3_000; round++)
        {
            var text = new StringBuilder(sample);
            for (var edit = random.Next(1, 6); edit > 0; edit--)
            {
                var position = random.Next(text.Length);
                _ = random.Next(3) switch
                {
                    0 => text.Insert(position, Pieces[random.Next(Pieces.Length)]),
                    1 => text.Remove(position, Math.Min(random.Next(1, 20), text.Length - position)),
                    _ => text.Insert(position, text.ToString(0, Math.Min(random.Next(1, 60), text.Length))),
                };
            }

            var problems = new ProblemCollector();
            var tree = YamlReader.Read(text.ToString(), "gateway.yaml", problems);
            Assert.True(tree is not null || problems.Count > 0);
            if (tree is not null)
            {
                var document = new ConfigurationDocument("gateway.yaml", problems);
                var options = (GatewayOptions)new OptionsBinder(document, _folder.Path, GatewayOptions.Model).Bind(
                    tree);
                GatewayOptionsValidator.Validate(options, new SettingScope(document, ""));
            }

            Assert.All(problems.ToList(), static problem => Assert.DoesNotContain('\n', problem.ToString()));
        }
    }

    private GatewayOptions Load(string text) => ConfigurationSamples.Load(_folder, text);

    private static void AssertOneProblem(string path, string expected)
    {
        var exception = Assert.Throws<ProblemException>(() => ConfigurationLoader.Load(path, NoEnvironment));
        Assert.Equal($"{path}: {expected}", Assert.Single(exception.Problems).ToString());
    }
}
