using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Rotation;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Tokens.Credentials;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Host.Rotation;

/// <summary>What is due is counted in the metrics and told once a day, and what is not due is not.</summary>
public sealed class RotationRemindersTests
{
    [Fact]
    public async Task Look_NothingDue_CountsNothingAndSaysNothing()
    {
        var log = new LogSink();
        await using var upstream = await RecordingUpstream.StartAsync();
        using var folder = new TemporaryFolder();
        var users = folder.Write(
            "users.htpasswd", "new:$2y$10$abcdefghijklmnopqrstuuMUUP3pSWH1bp40YWpSBE9dnXIF8dRoe\n");
        await using var gateway = await StartAsync(
            upstream, log, new ShiftedClock(),
            options => options.Authentication.Htpasswd = new HtpasswdOptions { File = users });
        var reminders = gateway.Services.GetRequiredService<RotationReminders>();
        await reminders.LookAsync(default);
        Assert.Equal(
            ["signing_key", "password", "token", "certificate", "secret"],
            reminders.Due.Select(static kind => kind.Kind));
        Assert.All(reminders.Due, static kind => Assert.Empty(kind.Names));
        Assert.DoesNotContain(log.Lines, static line => line.Contains("Due for rotation", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Look_EverythingDue_IsCountedAndToldOnceADay()
    {
        var log = new LogSink();
        var clock = new ShiftedClock();
        using var folder = new TemporaryFolder();
        var secret = folder.Write("secret", "a secret");
        File.SetLastWriteTimeUtc(secret, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-366));
        var users = folder.Write(
            "users.htpasswd", "old:$2y$08$abcdefghijklmnopqrstuuMUUP3pSWH1bp40YWpSBE9dnXIF8dRoe\n");
        await using var upstream = await RecordingUpstream.StartAsync();
        await using var gateway = await StartAsync(upstream, log, clock, options =>
        {
            options.Listen.Management = "127.0.0.1:0";
            options.Paths = [new NamedPath("redis.passwordFile", secret)];
            options.Authentication.Htpasswd = new HtpasswdOptions { File = users };
        });
        Assert.True(CredentialLimit.TryParse(["team-a/**:pull"], out var limit, out _));
        await gateway.Services.GetRequiredService<CredentialService>().CreateAsync(
            new CredentialOrder
            {
                Owner = CredentialOwner.Robot("ci"),
                Name = "deploy",
                Limit = limit,
                Lifetime = TimeSpan.FromDays(365),
                CreatedBy = "test",
            },
            default);
        clock.Advance(TimeSpan.FromDays(363));
        clock.Advance(TimeSpan.FromDays(1.5)); // the token ends soon, the key is not a year old yet
        var reminders = gateway.Services.GetRequiredService<RotationReminders>();
        await reminders.LookAsync(default);
        string[] Named(string kind) => [.. reminders.Due.Single(one => one.Kind == kind).Names];
        Assert.Empty(Named("signing_key"));
        Assert.Equal(["old"], Named("password"));
        Assert.Single(Named("token"));
        Assert.Single(Named("certificate")); // that of the tests ends before
        Assert.Equal(["redis.passwordFile"], Named("secret"));

        clock.Advance(TimeSpan.FromDays(2));
        await reminders.LookAsync(default);
        Assert.Single(Named("signing_key"));
        Assert.Empty(Named("token")); // it has ended

        int Told() =>
            log.Lines.Count(
                static line => line.Contains(
                    "Due for rotation: 1 of the kind password (old)", StringComparison.Ordinal));
        var before = Told();
        await reminders.LookAsync(default);
        Assert.Equal(before, Told());
        clock.Advance(TimeSpan.FromDays(1));
        await reminders.LookAsync(default);
        Assert.Equal(before + 1, Told());
        Assert.DoesNotContain(log.Lines, static line => line.Contains("a secret", StringComparison.Ordinal));

        var scrape = await Scrape.ReadAsync(gateway);
        Assert.Equal(1, scrape["gateway_rotation_due{kind=\"password\"}"]);
        Assert.Equal(1, scrape["gateway_rotation_due{kind=\"signing_key\"}"]);
        Assert.Contains("gateway_rotation_due{kind=\"token\"} 0", scrape.Text, StringComparison.Ordinal);
    }

    private static Task<TestGateway> StartAsync(
        RecordingUpstream upstream, LogSink log, ShiftedClock clock, Action<GatewayOptions> change) =>
        TestGateway.StartAsync(
            upstream.Address,
            "rules: []",
            options =>
            {
                options.Log.Level = LogLevel.Warning;
                change(options);
            },
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(clock);
                builder.Logging.ClearProviders().AddProvider(log);
            });
}
