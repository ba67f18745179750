using System.Globalization;
using System.Xml.Linq;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Bench;

/// <summary>
/// <c>tests/bench/run</c> in its smallest form: every front gives every workload the right answers, and every figure is
/// there. What the figures are is not tested.
/// </summary>
public sealed class BenchTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10); // beside other tests

    private static readonly string[] Gateways =
        ["gateway", "gateway-cache", "gateway-no-redis", "gateway-no-audit", "gateway-bare"];

    private static readonly string[] Behind = ["nginx", "nginx-auth", "yarp", .. Gateways];

    private static readonly Dictionary<string, string[]> FrontsOf = new()
    {
        ["ping"] = ["registry", "registry-htpasswd", .. Behind],
        ["manifest-tag"] = ["registry", .. Behind],
        ["manifest-digest"] = ["registry", .. Behind],
        ["manifest-head"] = ["registry", .. Behind],
        ["blob-4k"] = ["registry", .. Behind],
        ["blob-1m"] = ["registry", "nginx", "nginx-unbuffered", "yarp", .. Gateways],
        ["blob-large"] = ["registry", "nginx", "nginx-unbuffered", "yarp", .. Gateways],
        ["upload-monolithic"] = ["registry", .. Behind],
        ["upload-chunked"] = ["registry", .. Behind],
        ["client-pull"] = ["registry", "registry-htpasswd", .. Behind],
        ["client-push"] = ["registry", "registry-htpasswd", .. Behind],
        ["basic"] = ["nginx-auth", "registry-htpasswd", .. Gateways],
        ["token-password"] = Gateways,
        ["token-personal"] = Gateways,
        ["connect-full"] = ["nginx", "yarp", "gateway"],
        ["connect-resumed"] = ["nginx", "yarp", "gateway"],
    };

    private static readonly string[] Others =
    [
        "start,yarp,ready-cpu", "start,gateway-64-rules,ready-cpu", "start,gateway-64-rules,idle-memory",
        "start,gateway-64-rules,loaded-memory", "reload,gateway-64-rules,reload-cpu", "idle,gateway,idle-cpu",
        "idle,gateway,idle-redis-commands", "connections,nginx,idle-connection", "connections,yarp,idle-connection",
        "connections,gateway,idle-connection", "connections,gateway,after-closed-connections",
        "catalog,registry,page-100", "catalog,gateway,guest-page-cold", "catalog,gateway,guest-page-warm",
        "catalog,gateway,walk", "commands,client,version", "commands,client,explain",
        "commands,client,credential-get", "decision,64-rules,decision", "decision,es256,signature",
        "manifest-tag,gateway,cpu:yarp", "manifest-tag,gateway,cpu:nginx-auth", "manifest-tag,gateway,all-cpu:registry",
        "basic,gateway,cpu:registry-htpasswd",
    ];

    [Fact]
    public async Task Run_Tiny_GivesEveryFigure()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-bench-").FullName;
        try
        {
            var run = await Cli.RunAsync(
                Path.Combine(TestPaths.Repository, "tests", "bench", "run"),
                ["--tiny", "--built", "--output", folder],
                new CliSettings { Timeout = Limit });

            run.Succeeded();
            var lines = (await File.ReadAllLinesAsync(Path.Combine(folder, "performance.csv")))
                .Where(static line => !line.StartsWith("# ", StringComparison.Ordinal)).Skip(1)
                .ToDictionary(
                    static line => string.Join(',', line.Split(',')[..3]),
                    static line => double.Parse(line.Split(',')[5], CultureInfo.InvariantCulture));
            var expected = FrontsOf
                .SelectMany(static one => one.Value.Select(front => $"{one.Key},{front},cpu"))
                .Concat(Others);
            Assert.DoesNotContain(expected, name => lines.GetValueOrDefault(name) <= 0);
            Assert.DoesNotContain(lines, static one => one.Value < 0);
            var page = await File.ReadAllTextAsync(Path.Combine(folder, "performance.md"));
            Assert.Contains("| manifest GET by tag | **", page, StringComparison.Ordinal);
            Assert.Equal("svg", XDocument.Load(Path.Combine(folder, "performance.svg")).Root!.Name.LocalName);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Run_WrongAnswers_FailsAndLeavesNothing()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-bench-").FullName;
        try
        {
            var run = await Cli.RunAsync(
                Path.Combine(TestPaths.Repository, "tests", "bench", "run"),
                ["--tiny", "--built", "--only", "no-such-work", "--output", folder],
                new CliSettings
                {
                    Timeout = Limit,
                    Environment = new Dictionary<string, string?> { ["TMPDIR"] = folder },
                });

            run.FailedWith("there is no such workload (found: no-such-work)");
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
