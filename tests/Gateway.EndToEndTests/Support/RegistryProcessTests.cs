using System.Net;

namespace Gateway.EndToEndTests.Support;

public sealed class RegistryProcessTests
{
    [Fact]
    public async Task StartAsync_PlainSettings_AnswersUntilDisposed()
    {
        using var client = new HttpClient();
        Uri address;
        await using (var registry = await RegistryProcess.StartAsync())
        {
            address = registry.Address;
            using var answer = await client.PostAsync(new Uri(address, "/v2/a/b/blobs/uploads/"), content: null);

            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            Assert.True(Directory.Exists(Path.Combine(registry.RepositoriesFolder, "a", "b", "_uploads")));
        }

        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(new Uri(address, "/v2/")));
    }

    [Fact]
    public async Task StartAsync_BrokenConfiguration_ThrowsWithTheRegistrysOwnLog()
    {
        var settings = new RegistrySettings { MoreYaml = "storage: again\n" };

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => RegistryProcess.StartAsync(settings));

        Assert.Contains("StorageDriver not registered: again", thrown.Message, StringComparison.Ordinal);
    }
}
