using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Registry;

public sealed class RegistryRequestParserAllocationTests
{
    private const int Rounds = 1000;

    // On 64 bits: the request 64 bytes, its reference 32, and for name and tag a wrapper of 24 and a string of 40 each.
    [Fact]
    public void Parse_ManifestByTag_AllocatesOnlyWhatItReturns() =>
        Assert.Equal(
            224, BytesPerCall(static () => RegistryRequestParser.Parse("GET", "/v2/team/app/manifests/latest")));

    [Fact]
    public void Build_ManifestByTag_AllocatesOnlyTheTarget()
    {
        var request = RegistryRequestParser.Parse("GET", "/v2/team/app/manifests/latest").Request!;

        Assert.Equal(80, BytesPerCall(() => RegistryTarget.Build(request)));
    }

    private static long BytesPerCall<T>(Func<T> call)
    {
        call();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Rounds; i++)
        {
            call();
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / Rounds;
    }
}
