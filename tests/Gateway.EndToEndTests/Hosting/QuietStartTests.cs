using Gateway.EndToEndTests.Support;
using Gateway.Tests.Support;

namespace Gateway.EndToEndTests.Hosting;

/// <summary>A start where nothing is wrong, as its log tells it.</summary>
public sealed class QuietStartTests
{
    // The framework warns of each key that it makes without a password to seal it with ("No XML encryptor configured").
    [Fact]
    public async Task Serve_MakesKeysOfSessions_WithoutAWarningOfTheFramework()
    {
        await using var upstream = new YesUpstream();
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = upstream.Address,
            MoreAuthentication = """
                , oidc: { corp: { issuer: "https://127.0.0.1:1", clientId: gateway, clientSecret: a-secret-of-the-client } }
                """,
        });
        var keys = Path.Combine(gateway.Folder, "state", "data-protection");
        await Eventually.TrueAsync(() => Directory.Exists(keys) && Directory.GetFiles(keys, "key-*.xml").Length > 0);
        await gateway.TerminateAsync();

        Assert.DoesNotContain("XML encryptor", gateway.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("Microsoft.AspNetCore.DataProtection", gateway.Log, StringComparison.Ordinal);
    }
}
