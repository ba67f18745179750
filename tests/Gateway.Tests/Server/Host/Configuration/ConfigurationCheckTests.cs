using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;

namespace Gateway.Tests.Server.Host.Configuration;

public sealed class ConfigurationCheckTests
{
    private static readonly Problem First = new("users.htpasswd:1", "not a line", null, "Mend it.");
    private static readonly Problem Second = new("users.htpasswd:2", "not a line", null, "Mend it.");

    [Fact]
    public void Loading_LoaderThatThrowsProblems_GivesEach()
    {
        var check = ConfigurationCheck.Loading(static _ => throw new ProblemException([First, Second]));

        Assert.Equal([First, Second], check(new GatewayOptions()));
    }

    [Fact]
    public void Loading_LoaderThatSucceeds_GivesNone()
    {
        Assert.Empty(ConfigurationCheck.Loading(static _ => { })(new GatewayOptions()));
    }
}
