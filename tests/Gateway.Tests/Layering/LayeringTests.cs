using Gateway.Server.Host.Hosting;

namespace Gateway.Tests.Layering;

/// <summary>Data flows one way: a wing uses only those that stand before it in <see cref="Wing.All"/>.</summary>
public sealed class LayeringTests
{
    [Fact]
    public void EveryTypeHasAWing()
    {
        string[] assemblies = ["Gateway.Core", "Gateway.Foundation", "Gateway.Server", "Gateway.Client"];
        var homeless =
            from name in assemblies
            from type in System.Reflection.Assembly.Load(name).GetTypes()
            where type.Namespace is { } space && space.StartsWith("Gateway", StringComparison.Ordinal)
                && Wing.Find(space) is null or { Name: "Command" }
            select type.FullName;

        Assert.Empty(homeless);
    }

    [Fact]
    public void NoTypeUsesOneOfALaterWing()
    {
        var arrows = Arrows.OfAssemblies();

        Assert.Contains(arrows, static arrow => arrow.User == typeof(GatewayHost).FullName); // it sees something
        Assert.Empty(arrows.Where(static arrow => !arrow.IsAllowed).Select(static arrow => arrow.ToString()));
    }

    [Fact]
    public void NoFileNamesALaterWing()
    {
        var arrows = Arrows.OfUsings();

        Assert.Contains(arrows, static arrow => arrow.User.EndsWith("GatewayHost.cs", StringComparison.Ordinal));
        Assert.Empty(arrows.Where(static arrow => !arrow.IsAllowed).Select(static arrow => arrow.ToString()));
    }

    [Theory]
    [InlineData("Gateway.Server.Requests.Redis", "Gateway.Server.Host.Configuration", false)]
    [InlineData("Gateway.Server.Host.Configuration", "Gateway.Server.Requests.Redis", true)]
    [InlineData("Gateway.Client.Doctor", "Gateway.Server.Tokens.Service", false)]
    [InlineData("Gateway.Server.Tokens.Service", "Gateway.Client.Doctor", false)]
    [InlineData("Gateway.Core.Tokens", "Gateway.Foundation.Files", false)]
    [InlineData("Gateway.Commands", "Gateway.Client.Doctor", true)]
    public void TheOrder(string from, string to, bool isAllowed) =>
        Assert.Equal(isAllowed, new Arrow(Wing.Find(from)!, Wing.Find(to)!, "", "").IsAllowed);
}
