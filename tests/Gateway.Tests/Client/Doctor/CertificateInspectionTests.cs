using System.Security.Cryptography.X509Certificates;
using Gateway.Client.Doctor;
using Gateway.Tests.Server.Requests.Tls;

namespace Gateway.Tests.Client.Doctor;

/// <summary>Names, times and trust, as clients judge them; and whom a password may be sent to.</summary>
public sealed class CertificateInspectionTests
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly TestAuthority _root = TestAuthority.CreateRoot();

    [Theory]
    [InlineData("registry.example.com", "registry.example.com", true)]
    [InlineData("*.example.com", "registry.example.com", true)]
    [InlineData("*.example.com", "a.registry.example.com", false)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("10.0.0.7", "10.0.0.7", true)]
    [InlineData("10.0.0.7", "10.0.0.8", false)]
    [InlineData("2001:db8::1", "2001:db8::1", true)]
    [InlineData("localhost", "127.0.0.1", false)]
    public void Names_AreThoseOfTheExtension(string name, string host, bool isWell)
    {
        var chain = Chain(_root.Issue([name]));
        Assert.Equal(isWell, !Inspect(chain, host).Has("TLS006", Severity.Error));
        Assert.Equal(isWell, CertificateInspection.IsFit(chain, host, [Roots()], Now));
    }

    [Fact]
    public void IsFit_NeedsAllOfIt()
    {
        const string host = "registry.example.com";
        Assert.True(CertificateInspection.IsFit(Chain(_root.Issue([host])), host, [[], Roots()], Now));
        Assert.False(CertificateInspection.IsFit([], host, [Roots()], Now));
        Assert.False(CertificateInspection.IsFit(Chain(_root.Issue([host])), host, [null, []], Now));
        Assert.False(CertificateInspection.IsFit(Chain(_root.Issue(["other.example.com"])), host, [Roots()], Now));
        Assert.False(
            CertificateInspection.IsFit(
                Chain(_root.Issue([host], notBefore: Now.AddDays(-9), notAfter: Now.AddDays(-1))), host, [Roots()],
                Now));
        Assert.False(
            CertificateInspection.IsFit(Chain(_root.Issue([host], notBefore: Now.AddDays(1))), host, [Roots()], Now));
        Assert.False(
            CertificateInspection.IsFit(
                Chain(_root.Issue([host], change: static request => request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.2")], false)))), host, [Roots()], Now));
    }

    [Theory]
    [InlineData(-90, 5, "TLS003")]
    [InlineData(-1, 6, null)] // of seven days six are left
    [InlineData(-6, 1, "TLS003")]
    [InlineData(-30, 60, null)]
    [InlineData(-30, -1, "TLS001")]
    [InlineData(1, 30, "TLS002")]
    public void Times_ShortLivesHaveShortNotices(int from, int to, string? id) => Assert.Equal(
        id is null ? [] : [id],
        Ids(
            Inspect(
                Chain(_root.Issue(["a.example.com"], notBefore: Now.AddDays(from), notAfter: Now.AddDays(to))),
                "a.example.com")));

    [Fact]
    public void Times_OneThatEndsSoon_DoesNotHideOneThatHasEnded()
    {
        var soon = _root.Issue(["a.example.com"], notBefore: Now.AddDays(-90), notAfter: Now.AddDays(5));
        var ended = _root.Issue([], notBefore: Now.AddDays(-90), notAfter: Now.AddDays(-5));
        Assert.Contains("TLS001", Ids(Inspect([soon.Certificate, ended.Certificate], "a.example.com")));
    }

    private X509Certificate2Collection Roots() => [_root.Certificate];

    private static IReadOnlyList<X509Certificate2> Chain(TestPair pair) => [pair.Certificate];

    private static Diagnosis Inspect(IReadOnlyList<X509Certificate2> chain, string host)
    {
        var diagnosis = new Diagnosis();
        CertificateInspection.Inspect(diagnosis, "x", chain, host, Now);
        return diagnosis;
    }

    private static List<string> Ids(Diagnosis diagnosis) =>
        [.. diagnosis.Findings.Select(static finding => finding.Id)];
}
