using Gateway.Server.Requests.Reloading;
using Gateway.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.SignIn.Authentication;

/// <summary>A user file that is cut off signs nobody out.</summary>
public sealed class HtpasswdReplacementTests : IDisposable
{
    private static readonly string Hash = TestUsers.Hash("secret");

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());
    private readonly LogSink _log = new();
    private readonly string _file;
    private ServiceProvider? _services;

    public HtpasswdReplacementTests() => _file = _folder.Write("users.htpasswd", Lines(10));

    public void Dispose()
    {
        _services?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Look_FileCutWithinALine_WaitsForTheRest()
    {
        var users = Start();
        var whole = Lines(2);
        for (var length = 1; length <= whole.Length; length++)
        {
            File.WriteAllText(_file, whole[..length]);
            Look(users);
            var isHeld = whole[length - 1] != '\n';
            Assert.Equal(isHeld, users.Status.Problems.Count > 0);
            Assert.Equal(
                isHeld && users.Status.Reloads == 0 ? 10 : isHeld ? 1 : whole.AsSpan(0, length).Count('\n'),
                users.Current.Count);
        }
    }

    [Fact]
    public void Look_OpenLastLine_IsSaid()
    {
        var users = Start();
        File.WriteAllText(_file, Lines(2).TrimEnd());

        Look(users);

        Assert.Equal(
            $"{_file}: the last line has no line break, so the file may be cut off. Write the complete file again, "
                + "with a line break after each line.",
            Assert.Single(users.Status.Problems).ToString());
    }

    // Made with printf, say; there are no last good ones, and refusing to start would help no one.
    [Fact]
    public void Start_OpenLastLine_IsTakenWithAWarning()
    {
        File.WriteAllText(_file, Lines(2).TrimEnd());

        Assert.Equal(2, Start().Current.Count);
        Assert.Contains(
            _log.Lines,
            line => line.StartsWith("Warning ", StringComparison.Ordinal)
                && line.Contains("may be cut off", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, 0, true)]
    [InlineData(50, 5, true)]
    [InlineData(50, 4, false)]
    [InlineData(0, 10, true)]
    [InlineData(0, 9, false)]
    [InlineData(99, 1, true)]
    [InlineData(99, 0, false)]
    public void Look_FileThatLacksUsers_IsHeldBackWhereItLacksMoreThanItMay(int? limit, int left, bool isTaken)
    {
        var users = Start(limit);
        File.WriteAllText(_file, left == 0 ? "# all gone\n" : Lines(left));

        Look(users);

        Assert.Equal(isTaken ? left : 10, users.Current.Count);
        if (!isTaken)
        {
            Assert.StartsWith(
                $"{10 - left} of 10 users are missing, more than {limit} %", Assert.Single(users.Status.Problems).What,
                StringComparison.Ordinal);
        }
    }

    // One who is renamed is one who is gone, even where others came: what counts is who is signed out.
    [Fact]
    public void Look_AsManyUsersAsEverButOthers_IsHeldBack()
    {
        var users = Start(20);
        File.WriteAllText(_file, Lines(10).Replace("user", "other", StringComparison.Ordinal));

        Look(users);

        Assert.Single(users.Status.Problems);
    }

    [Fact]
    public void Look_UsersRemovedByTheCommand_AreNotMissed()
    {
        var users = Start(0);
        for (var i = 0; i < 9; i++)
        {
            Assert.True(HtpasswdEditor.Remove(_file, $"user{i}"));
        }

        Look(users);

        Assert.Empty(users.Status.Problems);
        Assert.Equal(["user9"], users.Current.Names);
    }

    // As printf leaves it: what the command writes must not be held back.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Look_CommandOnAFileWithAnOpenLastLine_IsTaken(bool removes)
    {
        File.WriteAllText(_file, Lines(3).TrimEnd());
        var users = Start();
        if (removes)
        {
            HtpasswdEditor.Remove(_file, "user0");
        }
        else
        {
            HtpasswdEditor.Set(_file, "user0", Hash);
        }

        Look(users);

        Assert.Empty(users.Status.Problems);
        Assert.Equal(removes ? 2 : 3, users.Current.Count);
    }

    [Fact]
    public void Look_FileCutBesideARemovalByTheCommand_IsHeldBack()
    {
        var users = Start(10);
        File.WriteAllText(_file, Lines(5));
        HtpasswdEditor.Remove(_file, "user0");

        Look(users);

        Assert.StartsWith(
            "5 of 10 users are missing", Assert.Single(users.Status.Problems).What, StringComparison.Ordinal);
    }

    [Fact]
    public void Look_UserRemovedByTheCommandAndAddedAgain_IsMissedAsOthers()
    {
        var users = Start(0);
        HtpasswdEditor.Remove(_file, "user0");
        HtpasswdEditor.Set(_file, "user0", Hash);
        Look(users);
        File.WriteAllText(_file, Lines(10).Replace("user0:", "#user0:", StringComparison.Ordinal));

        Look(users);

        Assert.Single(users.Status.Problems);
    }

    [Fact]
    public void Look_UserRemovedByTheCommandLongAgo_IsMissedAsOthers()
    {
        var users = Start(0);
        HtpasswdEditor.Remove(_file, "user0");
        _clock.Advance(TimeSpan.FromHours(25));

        Look(users);

        Assert.Single(users.Status.Problems);
    }

    [Fact]
    public async Task ReloadAsync_Accepted_TakesTheFileThatIsHeldBack()
    {
        var users = Start(20, TimeProvider.System);
        File.WriteAllText(_file, Lines(2));

        Assert.Single((await users.ReloadAsync(isAccepted: false, CancellationToken.None)).Problems);
        Assert.Equal(10, users.Current.Count);
        Assert.Empty((await users.ReloadAsync(isAccepted: true, CancellationToken.None)).Problems);
        Assert.Equal(2, users.Current.Count);
    }

    [Fact]
    public async Task ReloadAsync_AcceptedButCutWithinALine_StaysHeldBack()
    {
        var users = Start(20, TimeProvider.System);
        File.WriteAllText(_file, Lines(2).TrimEnd());

        Assert.Single((await users.ReloadAsync(isAccepted: true, CancellationToken.None)).Problems);
        Assert.Equal(10, users.Current.Count);
    }

    [Fact]
    public void Start_FewerUsersThanEver_IsTaken()
    {
        File.WriteAllText(_file, Lines(1));

        Assert.Equal(1, Start(0).Current.Count);
    }

    private static string Lines(int count) =>
        string.Concat(Enumerable.Range(0, count).Select(static i => $"user{i}:{Hash}\n"));

    private void Look(Reloadable<HtpasswdFile> users) => users.LookTwice(_clock.Advance);

    private Reloadable<HtpasswdFile> Start(int? limit = null, TimeProvider? time = null)
    {
        _services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(_log))
            .AddSingleton(time ?? _clock)
            .AddSingleton(new AuthenticationOptions
            {
                Htpasswd = new HtpasswdOptions { File = _file, MinimumCost = 4, MaximumLossPercent = limit },
            })
            .AddGatewayAuthentication()
            .BuildServiceProvider();
        return _services.GetRequiredService<Reloadable<HtpasswdFile>>();
    }
}
