using Gateway.Foundation.Configuration;

namespace Gateway.Tests.Foundation.Configuration;

public sealed class ConfigurationDocumentTests
{
    private readonly ConfigurationDocument _document = new("gateway.yaml", new ProblemCollector());

    [Theory]
    [InlineData("tls.certificates[0].key", "gateway.yaml:5:12")]
    [InlineData("tls.certificates[0].certificate", "gateway.yaml:4:7")] // absent: where its section begins
    [InlineData("tls.certificates[7].key", "gateway.yaml:3:3")]
    [InlineData("policies", "gateway.yaml:1:1")]
    public void SourceOf_Key_IsItsPlaceOrThatOfTheNearestSection(string key, string expected)
    {
        _document.Record("", new SourcePosition("gateway.yaml", 1, 1), null);
        _document.Record("tls.certificates", new SourcePosition("gateway.yaml", 3, 3), null);
        _document.Record("tls.certificates[0]", new SourcePosition("gateway.yaml", 4, 7), null);
        _document.Record("tls.certificates[0].key", new SourcePosition("gateway.yaml", 5, 12), "tls.key");

        Assert.Equal(expected, _document.SourceOf(key).ToString());
    }

    [Fact]
    public void SourceOf_NothingRecorded_IsTheFile() =>
        Assert.Equal("gateway.yaml", _document.SourceOf("tls.key").ToString());

    [Fact]
    public void IsBroken_BelowABrokenSection_IsTrueAndBesideItFalse()
    {
        _document.MarkBroken("registries[0]");

        Assert.True(_document.IsBroken("registries[0]"));
        Assert.True(_document.IsBroken("registries[0].credential.token"));
        Assert.False(_document.IsBroken("registries[1].name"));
        Assert.False(_document.IsBroken("registries"));
    }
}
