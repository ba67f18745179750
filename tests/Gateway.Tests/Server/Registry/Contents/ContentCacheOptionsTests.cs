using Gateway.Server.Registry.Contents;
using Gateway.Server.Requests.Routing;

namespace Gateway.Tests.Server.Registry.Contents;

/// <summary>What is said of a section <c>contentCache</c> that is wrong, or allowed and hardly meant.</summary>
public sealed class ContentCacheOptionsTests
{
    [Fact]
    public void Warnings_OfWhatIsHardlyMeant_SayWhatItDoesAndWhatToSet()
    {
        var options = new ContentCacheOptions
        {
            MaxAge = TimeSpan.FromHours(2),
            TagMaxAge = TimeSpan.FromHours(1),
        };

        var warnings = ContentServiceExtensions.Warnings(options, [new RegistryOptions { CacheContent = false }]);

        Assert.Equal(
            [
                "contentCache: is on, but every registry has cacheContent: false, so it has no effect. Remove the "
                    + "section, or cacheContent from a registry.",
                "contentCache.maxAge: is long: what is deleted in the registry itself, as by its garbage collection or "
                    + "another tool, is served for as long as this (found \"2h\"). Set it to a minute, unless "
                    + "everything is deleted through the gateway.",
                "contentCache.tagMaxAge: is long: clients that pull a tag get its old image for up to this time after "
                    + "it was pushed around this gateway (found \"1h\"). Set it to 0s, or to some seconds.",
            ],
            warnings.Select(static warning => warning.ToString()));
    }

    [Fact]
    public void Warnings_OfTheDefaultsAndOfASectionThatIsOff_AreNone()
    {
        RegistryOptions[] registries = [new() { CacheContent = false }, new()];

        Assert.Empty(ContentServiceExtensions.Warnings(new ContentCacheOptions(), registries));
        Assert.Empty(ContentServiceExtensions.Warnings(null, registries));
        Assert.Empty(ContentServiceExtensions.Warnings(
            new ContentCacheOptions { Enabled = false, MaxAge = TimeSpan.FromHours(2) }, registries[..1]));
    }
}
