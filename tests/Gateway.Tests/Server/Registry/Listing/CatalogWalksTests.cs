using Gateway.Core.Registry;
using Gateway.Server.Registry.Listing;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Registry.Listing;

/// <summary>Places for walks of the catalog: for all together, and for each caller.</summary>
public sealed class CatalogWalksTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly CatalogWalks _walks;

    public CatalogWalksTests() => _walks = new CatalogWalks(_clock);

    public void Dispose() => _walks.Dispose();

    [Fact]
    public async Task Enter_ByOneCallerMoreThanTwice_WaitsAndIsThenRefusedWhileOthersGoOn()
    {
        var (first, _) = await EnterAsync("user:a");
        using var second = (await EnterAsync("user:a")).Place;
        var third = EnterAsync("user:a");
        var fourth = EnterAsync("user:a");

        using var other = (await EnterAsync("user:b")).Place;
        Assert.NotNull(other);
        Assert.False(third.IsCompleted || fourth.IsCompleted);

        first!.Dispose();
        using var next = (await third).Place; // in their order
        Assert.NotNull(next);
        Assert.False(fourth.IsCompleted);

        _clock.Advance(CatalogWalks.LongestWait);
        var (none, error) = await fourth;
        Assert.Null(none);
        Assert.Equal((429, "TOOMANYREQUESTS"), (error!.StatusCode, error.Code));
    }

    [Fact]
    public async Task Enter_WhenAllPlacesAreTaken_WaitsAndIsThenToldToComeAgain()
    {
        var places = new List<IDisposable?>();
        for (var i = 0; i < CatalogWalks.AtATime; i++)
        {
            places.Add(await ReadAsync($"user:{i}"));
        }

        Assert.DoesNotContain(null, places);
        var waiting = ReadAsync("user:new");
        var refused = ReadAsync("user:newer");
        places[3]!.Dispose();
        using var entered = await waiting;
        Assert.NotNull(entered);
        Assert.False(refused.IsCompleted);
        _clock.Advance(CatalogWalks.LongestWait);
        Assert.Null(await refused);

        places.ForEach(static place => place!.Dispose()); // also twice
        for (var i = 0; i < CatalogWalks.AtATime - 1; i++)
        {
            Assert.NotNull(await ReadAsync($"user:{i}"));
        }
    }

    [Fact]
    public async Task Enter_ByWhoLeftWhatTheyHaveRead_CountsItUntilItIsRead()
    {
        var first = (await EnterAsync("user:a")).Place!;
        var second = (await EnterAsync("user:a")).Place!;
        var read = await first.TryStartReadingAsync(CancellationToken.None);
        first.Dispose();
        var third = EnterAsync("user:a");

        Assert.False(third.IsCompleted);
        read!.Dispose();

        using var next = (await third).Place;
        Assert.NotNull(next);
        second.Dispose();
    }

    [Fact]
    public async Task Enter_ByWhoLeavesWhileWaiting_TakesNoPlace()
    {
        using var leaving = new CancellationTokenSource();
        using var first = (await EnterAsync("user:a")).Place;
        var second = (await EnterAsync("user:a")).Place;
        var left = _walks.EnterAsync("user:a", leaving.Token);

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        second!.Dispose();
        using var third = (await EnterAsync("user:a")).Place;
        Assert.NotNull(third);
    }

    private Task<(CatalogPlace? Place, RegistryError? Error)> EnterAsync(string caller) =>
        _walks.EnterAsync(caller, CancellationToken.None);

    private async Task<IDisposable?> ReadAsync(string caller)
    {
        using var place = (await EnterAsync(caller)).Place;
        return await place!.TryStartReadingAsync(CancellationToken.None);
    }
}
