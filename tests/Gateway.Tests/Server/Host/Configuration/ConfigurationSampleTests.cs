using System.Text.RegularExpressions;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Redis;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Host.Configuration;

/// <summary>The sample that compose/up starts, the schema its first line names, and the reference.</summary>
public sealed class ConfigurationSampleTests : IDisposable
{
    private static readonly Dictionary<string, string> NoEnvironment = [];
    private static readonly string Sample = RepositoryRoot.PathOf("config", "gateway.yaml");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Sample_AsItIs_IsValid()
    {
        var options = ConfigurationLoader.Load(Sample, NoEnvironment);

        Assert.Equal("https://localhost:8443", options.PublicUrl?.OriginalString);
        Assert.Equal(RepositoryRoot.PathOf("config", "policies"), options.Policies);
        Assert.Equal(RepositoryRoot.PathOf("config", "users.htpasswd"), options.Authentication.Htpasswd?.File);
        Assert.Equal("http://localhost:8080", Assert.Single(options.Cors.Origins));
    }

    [Fact]
    public void Sample_WithTheVariablesOfANativeStart_IsValid()
    {
        var options = ConfigurationLoader.Load(Sample, new Dictionary<string, string>
        {
            ["GATEWAY__PublicUrl"] = "https://localhost:18443",
            ["GATEWAY__Listen__Https"] = "*:18443",
            ["GATEWAY__Registries__0__Upstreams__0"] = "http://127.0.0.1:15000",
            ["GATEWAY__Tls__Certificates__0__Certificate"] = "/state/tls.crt",
            ["GATEWAY__Tls__Certificates__0__Key"] = "/state/tls.key",
            ["GATEWAY__Authentication__Htpasswd__File"] = "../compose/.state/users.htpasswd",
        });

        Assert.Equal("http://127.0.0.1:15000/", Assert.Single(options.Registries[0].Upstreams).AbsoluteUri);
        Assert.Equal(
            RepositoryRoot.PathOf("compose", ".state", "users.htpasswd"), options.Authentication.Htpasswd?.File);
    }

    [Fact]
    public void Sample_WithEveryCommentedSettingSet_IsValid()
    {
        _folder.Write("secrets/mirror-password", "x\n");
        _folder.Write("secrets/partners-token", "x\n");
        _folder.Write("secrets/redis-password", "x\n");
        _folder.Write("secrets/ldap-password", "x\n");
        _folder.Write("secrets/oidc-secret", "x\n");
        _folder.Write("secrets/otlp-headers", "x-key=x\n");
        _folder.Write("secrets/audit-key", new string('k', 32) + "\n");

        var options = ConfigurationSamples.Load(_folder, Uncommented());

        Assert.Equal(["main", "mirror", "partners"], options.Registries.Select(static registry => registry.Name));
    }

    [Fact]
    public void Sample_CommentedSettings_ShowTheirDefaults()
    {
        // "#key: value" under "their defaults or an example": these are the ones that have a default.
        _folder.Write("secrets/mirror-password", "x\n");
        _folder.Write("secrets/partners-token", "x\n");
        _folder.Write("secrets/redis-password", "x\n");
        _folder.Write("secrets/ldap-password", "x\n");
        _folder.Write("secrets/oidc-secret", "x\n");
        _folder.Write("secrets/otlp-headers", "x-key=x\n");
        _folder.Write("secrets/audit-key", new string('k', 32) + "\n");
        var asIs = ConfigurationLoader.Load(Sample, NoEnvironment);
        var set = ConfigurationSamples.Load(_folder, Uncommented());

        Assert.Equal(asIs.Listen.Management, set.Listen.Management);
        Assert.Equal(asIs.Tls.HstsMaxAge, set.Tls.HstsMaxAge);
        Assert.Equal(asIs.Registries[0].ActivityTimeout, set.Registries[0].ActivityTimeout);
        Assert.Equal(asIs.Registries[0].BlobActivityTimeout, set.Registries[0].BlobActivityTimeout);
        Assert.Equal(asIs.Registries[0].HealthCheck.Interval, set.Registries[0].HealthCheck.Interval);
        Assert.Equal(asIs.Registries[0].HealthCheck.Timeout, set.Registries[0].HealthCheck.Timeout);
        Assert.Equal(asIs.Authentication.Htpasswd!.MinimumCost, set.Authentication.Htpasswd!.MinimumCost);
        Assert.Equal(asIs.Authentication.Htpasswd!.MaximumCost, set.Authentication.Htpasswd!.MaximumCost);
        Assert.Equal(asIs.Authentication.Htpasswd!.AllowShaCrypt, set.Authentication.Htpasswd!.AllowShaCrypt);
        Assert.Equal(asIs.Authentication.Challenge, set.Authentication.Challenge);
        Assert.Equal(asIs.Tokens.Lifetime, set.Tokens.Lifetime);
        Assert.Equal(asIs.Tokens.Algorithm, set.Tokens.Algorithm);
        Assert.Equal(asIs.Tokens.Keys.Store, set.Tokens.Keys.Store);
        Assert.Equal(asIs.Tokens.Keys.RotateAfter, set.Tokens.Keys.RotateAfter);
        Assert.Equal(asIs.Tokens.RefreshTokens, set.Tokens.RefreshTokens);
        Assert.Equal(asIs.Tokens.RefreshTokenLifetime, set.Tokens.RefreshTokenLifetime);
        Assert.Equal(asIs.Tokens.UploadWindow, set.Tokens.UploadWindow);
        Assert.Equal(asIs.Tokens.DefaultCredentialLifetime, set.Tokens.DefaultCredentialLifetime);
        Assert.Equal(asIs.Tokens.MaximumCredentialLifetime, set.Tokens.MaximumCredentialLifetime);
        Assert.Equal(asIs.State.Store, set.State.Store);
        Assert.Equal(asIs.Audit.Enabled, set.Audit.Enabled);
        Assert.Equal(asIs.Audit.Stdout, set.Audit.Stdout);
        Assert.Equal(asIs.Audit.WriteAhead, set.Audit.WriteAhead);
        Assert.Equal(new AuditOptions().OnFailure, set.Audit.OnFailure);
        Assert.Equal(asIs.Audit.File.MaxSizeMiB, set.Audit.File.MaxSizeMiB);
        Assert.Equal(asIs.Audit.File.MaxAge, set.Audit.File.MaxAge);
        Assert.Equal(asIs.Audit.File.Keep, set.Audit.File.Keep);
        Assert.Equal(new AuditFileOptions().HashChain, set.Audit.File.HashChain);
        Assert.Equal(Path.GetFileName(asIs.State.Folder), Path.GetFileName(set.State.Folder));
        Assert.Equal(new RedisOptions().Database, set.Redis!.Database);
        Assert.Equal(new RedisOptions().KeyPrefix, set.Redis.KeyPrefix);
        Assert.Equal(new RedisOptions().Timeout, set.Redis.Timeout);
        Assert.Equal(new RedisOptions().RequirePersistence, set.Redis.RequirePersistence);
        Assert.Equal(asIs.Cors.Methods, set.Cors.Methods);
        Assert.Equal(asIs.Cors.Headers, set.Cors.Headers);
        Assert.Equal(asIs.Cors.ExposedHeaders, set.Cors.ExposedHeaders);
        Assert.Equal(asIs.Cors.MaxAge, set.Cors.MaxAge);
        Assert.Equal(asIs.Authentication.CacheLifetime, set.Authentication.CacheLifetime);
        Assert.Equal(asIs.Authentication.CacheSize, set.Authentication.CacheSize);
        Assert.Equal(asIs.Authentication.ConcurrentHashes, set.Authentication.ConcurrentHashes);
    }

    [Fact]
    public void Sample_EveryKey_StandsInIt()
    {
        // Also what is written as another way instead of one that is there: "#  #sentinel:".
        var keys = Regex.Replace(Uncommented(), @"(?m)^( *)#(?=[^ \n]|  )", "$1")
            .Split('\n').Select(static line => line.TrimStart(' ', '-').Split(':')[0]).ToHashSet();

        var missing = KeysBelow(GatewayOptions.Model)
            .Where(setting => !keys.Contains(setting.Key) && !keys.Contains(setting.FileKey ?? setting.Key))
            .Select(static setting => $"{setting.Property.DeclaringType!.Name}.{setting.Key}");

        Assert.Empty(missing);
    }

    [Fact]
    public void Sample_FirstLine_NamesTheSchema()
    {
        Assert.Equal("# yaml-language-server: $schema=gateway.schema.json", File.ReadLines(Sample).First());
        Assert.True(File.Exists(RepositoryRoot.PathOf("config", "gateway.schema.json")));
    }

    [Fact]
    public void Schema_Committed_IsWhatTheOptionsSay()
    {
        AssertCurrent(
            ConfigurationSchema.Write(GatewayOptions.Model, SettingDocumentation.Load(GatewayOptions.Model)),
            "config/gateway.schema.json",
            "gateway config schema > config/gateway.schema.json");
    }

    [Fact]
    public void Reference_Committed_IsWhatTheOptionsSay()
    {
        AssertCurrent(
            ConfigurationReference.Write(GatewayOptions.Model, SettingDocumentation.Load(GatewayOptions.Model)),
            "docs/configuration.md",
            "gateway config reference > docs/configuration.md");
    }

    [Fact]
    public void Reference_ShortestFile_IsValid()
    {
        var page = File.ReadAllText(RepositoryRoot.PathOf("docs", "configuration.md"));
        var start = page.IndexOf("```yaml\n", StringComparison.Ordinal) + "```yaml\n".Length;

        Assert.NotNull(
            ConfigurationSamples.Load(_folder, page[start..page.IndexOf("```", start, StringComparison.Ordinal)]));
    }

    [Fact]
    public void Settings_All_SayWhatTheyMean()
    {
        var documentation = SettingDocumentation.Load(GatewayOptions.Model);

        Assert.Empty(KeysBelow(GatewayOptions.Model)
            .Where(setting => documentation.SummaryOf(setting).Length == 0)
            .Select(
                static setting =>
                    $"{setting.Property.DeclaringType!.Name}.{setting.Property.Name} has no XML summary"));
    }

    // A comment is "# " and words; a setting is "#" and a key, or, where it goes on, "#" and more than one space.
    private static string Uncommented() =>
        Regex.Replace(File.ReadAllText(Sample), @"(?m)^( *)#(?=[^ \n]|  )", "$1");

    private static IEnumerable<Setting> KeysBelow(SettingType type) => type switch
    {
        SectionType section => section.Settings.SelectMany(static setting => KeysBelow(setting.Type).Prepend(setting)),
        ListType list => KeysBelow(list.Item),
        MapType map => KeysBelow(map.Value),
        _ => [],
    };

    private static void AssertCurrent(string expected, string file, string fix)
    {
        var committed = File.ReadAllText(RepositoryRoot.PathOf(file.Split('/')));
        Assert.True(expected == committed, $"{file} is out of step with the option classes. Run: {fix}");
    }
}
