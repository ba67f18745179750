using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Tls;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Requests.Tls;

public sealed class CertificateWatchTests : IAsyncLifetime, IDisposable
{
    private readonly ObservedClock _clock = new(TimeProvider.System.GetUtcNow());
    private readonly TlsServer.LogLines _log = new();
    private readonly TestAuthority _root = TestAuthority.CreateRoot();
    private readonly TestFolder _folder = new();
    private ServiceProvider? _services;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var service in _services?.GetServices<IHostedService>() ?? [])
        {
            await service.StopAsync(CancellationToken.None);
        }
    }

    public void Dispose()
    {
        _services?.Dispose();
        _folder.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task Watch_CertificateNearItsEnd_WarnsAtTheStartAndEachDay()
    {
        await StartAsync(_folder.Write("tls", _root.Issue(["localhost"], notAfter: _clock.GetUtcNow().AddDays(29.5))));
        Assert.Equal(["29 days"], Warnings());

        await _clock.TimerStarted.WaitAsync(TimeSpan.FromSeconds(10));
        _clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal(["29 days"], Warnings());

        await AdvanceAsync(TimeSpan.FromHours(1), 2);
        Assert.Equal(["29 days", "28 days"], Warnings());

        await AdvanceAsync(TimeSpan.FromDays(1), 3);
        Assert.Equal(["29 days", "28 days", "27 days"], Warnings());
    }

    [Fact]
    public async Task Watch_CertificateWithTimeLeft_SaysNothing()
    {
        await StartAsync(_folder.Write("tls", _root.Issue(["localhost"], notAfter: _clock.GetUtcNow().AddDays(31))));

        Assert.Empty(Warnings());
    }

    [Fact]
    public async Task Watch_RenewedPairWithoutNames_WarnsWhenItIsLoaded()
    {
        await StartAsync(_folder.Write("tls", _root.Issue(["localhost"])));
        _folder.Write("tls", _root.Issue([]));

        Certificates.LookTwice(_clock.Advance);

        Assert.Contains(_log.Lines, static line => line.StartsWith(
            "1701 Warning The certificate is served, but clients may refuse it. ", StringComparison.Ordinal)
            && line.Contains("names no host", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Reload_CertificateNotValidYet_ComesIntoForceWithTime()
    {
        var now = _clock.GetUtcNow();
        await StartAsync(_folder.Write("tls", _root.Issue(["localhost"], notAfter: now.AddDays(80))));
        _folder.Write("tls", _root.Issue(["localhost"], notBefore: now.AddMinutes(2), notAfter: now.AddDays(100)));

        Certificates.LookTwice(_clock.Advance);
        var first = Certificates.Status.Problems;
        _clock.Advance(TimeSpan.FromMinutes(1));
        Certificates.LookTwice(_clock.Advance);
        var second = Certificates.Status.Problems;
        _clock.Advance(TimeSpan.FromMinutes(2));
        Certificates.LookTwice(_clock.Advance);

        Assert.Equal("the certificate of localhost is not valid yet", Assert.Single(first).What);
        Assert.Equal(first, second);
        Assert.Empty(Certificates.Status.Problems);
        Assert.True(Certificates.Current.Certificates[0].NotAfter > now.AddDays(90));
        Assert.Single(_log.Lines, static line => line.StartsWith("1602", StringComparison.Ordinal)); // told once
    }

    private Reloadable<CertificateSet> Certificates => _services!.GetRequiredService<Reloadable<CertificateSet>>();

    private async Task StartAsync(CertificateOptions pair)
    {
        _services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(_log))
            .AddSingleton<TimeProvider>(_clock)
            .AddGatewayTls(new TlsOptions { Certificates = [pair] }, new Uri("https://localhost"))
            .BuildServiceProvider();
        await _services.GetServices<IHostedService>().Single().StartAsync(CancellationToken.None);
    }

    // The watch runs on the thread pool once its timer fired.
    private async Task AdvanceAsync(TimeSpan time, int expected)
    {
        await _clock.TimerStarted.WaitAsync(TimeSpan.FromSeconds(10));
        _clock.Advance(time);
        for (var i = 0; i < 1000 && Warnings().Length < expected; i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5));
        }
    }

    private string[] Warnings() =>
    [
        .. _log.Lines.Where(static line => line.Contains("expires in ", StringComparison.Ordinal))
            .Select(static line => line.Split("expires in ")[1].Split(" (")[0]),
    ];
}
