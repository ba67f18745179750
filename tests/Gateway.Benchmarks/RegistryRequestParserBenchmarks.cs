using System.Web;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Registry;

namespace Gateway.Benchmarks;

/// <summary>What understanding a request costs, beside what the base library would take for much less of it.</summary>
[MemoryDiagnoser]
public class RegistryRequestParserBenchmarks
{
    private readonly string _manifest = "/v2/team/app/manifests/latest";

    private readonly string _blob =
        "/v2/team/app/blobs/sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private readonly string _mount =
        "/v2/team/app/blobs/uploads/?mount=sha256%3A0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        + "&from=library%2Falpine&ns=docker.io";

    private readonly string _refused = "/v2/Team/app/manifests/latest";
    private RegistryRequest _manifestRequest = null!;
    private RegistryRequest _mountRequest = null!;

    [GlobalSetup]
    public void Setup()
    {
        _manifestRequest = RegistryRequestParser.Parse("GET", _manifest).Request!;
        _mountRequest = RegistryRequestParser.Parse("POST", _mount).Request!;
    }

    [Benchmark(Baseline = true)]
    public string UriOnly() => new Uri("http://registry" + _manifest).AbsolutePath;

    [Benchmark]
    public int SplitOnly() => _manifest.Split('/').Length;

    [Benchmark]
    public int UriAndQueryOnly() => HttpUtility.ParseQueryString(new Uri("http://registry" + _mount).Query).Count;

    [Benchmark]
    public RegistryParseResult ParseManifest() => RegistryRequestParser.Parse("GET", _manifest);

    [Benchmark]
    public RegistryParseResult ParseBlob() => RegistryRequestParser.Parse("GET", _blob);

    [Benchmark]
    public RegistryParseResult ParseMount() => RegistryRequestParser.Parse("POST", _mount);

    [Benchmark]
    public RegistryParseResult ParseRefused() => RegistryRequestParser.Parse("GET", _refused);

    [Benchmark]
    public string BuildManifest() => RegistryTarget.Build(_manifestRequest);

    [Benchmark]
    public string BuildMount() => RegistryTarget.Build(_mountRequest);
}
