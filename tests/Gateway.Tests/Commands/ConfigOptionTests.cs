using Gateway.Commands;

namespace Gateway.Tests.Commands;

public sealed class ConfigOptionTests
{
    [Theory]
    [InlineData("/srv/gateway.yaml", "config/gateway.yaml /etc/gateway/gateway.yaml", "/srv/gateway.yaml")]
    // what is named is meant, and said to be missing
    [InlineData("/missing.yaml", "config/gateway.yaml", "/missing.yaml")]
    [InlineData("", "config/gateway.yaml /etc/gateway/gateway.yaml", "config/gateway.yaml")]
    [InlineData(null, "/etc/gateway/gateway.yaml", "/etc/gateway/gateway.yaml")]
    [InlineData(null, "", "config/gateway.yaml")]
    public void DefaultPath_NothingNamed_IsTheVariableThenWhatIsThere(
        string? variable, string there, string expected) =>
        Assert.Equal(expected, ConfigOption.DefaultPath(variable, path => there.Split(' ').Contains(path)));
}
