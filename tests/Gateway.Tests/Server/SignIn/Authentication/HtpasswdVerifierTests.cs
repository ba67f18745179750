using System.Diagnostics;
using Gateway.Core.Authorization;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class HtpasswdVerifierTests
{
    private static readonly string Alice = HtpasswdStage.Line("alice", "secret");
    private static readonly string Bob = HtpasswdStage.Line("bob", "hunter2");

    [Fact]
    public async Task Verify_RightPassword_IsAcceptedAndHashedOnce()
    {
        using var stage = new HtpasswdStage(Alice);
        for (var i = 0; i < 3; i++)
        {
            var accepted = Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("alice", "secret"));
            Assert.Equal("user:alice", accepted.Principal.Subject.ToString());
            Assert.Equal(
                (SubjectKind.User, "htpasswd"), (accepted.Principal.Subject.Kind, accepted.Principal.Subject.Method));
        }

        Assert.Equal(1, stage.Hasher.Count);
        stage.Time.Advance(TimeSpan.FromMinutes(5));
        await stage.Verify("alice", "secret");
        Assert.Equal(2, stage.Hasher.Count);
    }

    [Fact]
    public async Task Verify_WrongPassword_IsRefusedAndHashedEachTime()
    {
        using var stage = new HtpasswdStage(Alice);
        await stage.Verify("alice", "secret");
        for (var i = 0; i < 3; i++)
        {
            Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", "Secret"));
        }

        Assert.Equal(4, stage.Hasher.Count);
        Assert.Equal(1, stage.Cache.Count);
    }

    [Fact]
    public async Task Verify_AnothersPassword_IsRefused()
    {
        using var stage = new HtpasswdStage(Alice + Bob);
        Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("bob", "hunter2"));
        Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", "hunter2"));
        Assert.IsType<AuthenticationResult.NotMine>(await stage.Verify("Alice", "secret"));
    }

    [Fact]
    public async Task Verify_UnknownUser_IsNotMineAfterTheSameHashing()
    {
        using var stage = new HtpasswdStage(Alice);
        Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", "wrong"));
        var known = stage.Hasher.Count;
        Assert.IsType<AuthenticationResult.NotMine>(await stage.Verify("mallory", "wrong"));
        Assert.Equal(known, stage.Hasher.Count - known);
    }

    [Fact]
    public async Task Verify_UnknownUser_TakesAsLongAsEveryKnownOneWithAWrongPassword()
    {
        using var stage = new HtpasswdStage(
            HtpasswdStage.Line("old", "secret", 7) + HtpasswdStage.Line("new", "secret", 9));
        string[] names = ["old", "new", "mallory"];
        var times = names.ToDictionary(name => name, _ => new List<double>());
        for (var i = 0; i < 11; i++)
        {
            foreach (var name in names)
            {
                var start = Stopwatch.GetTimestamp();
                await stage.Verify(name, "wrong");
                times[name].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
        }

        // A missing dummy hash is a factor of 100 and more, the cost of "old" alone one of 4. Counted exactly in
        // FailureWorkTests; this shows that the work is really done.
        var medians = names.Select(name => times[name].Order().ElementAt(5)).ToArray();
        Assert.InRange(medians.Max() / medians.Min(), 1, 2.5);
    }

    [Fact]
    public async Task Verify_PasswordBeyond72BytesForBcrypt_IsRefusedThoughItsBeginningIsRight()
    {
        var password = new string('a', 72);
        using var stage = new HtpasswdStage(HtpasswdStage.Line("alice", password));
        Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("alice", password));
        Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", password + "a"));
        Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", password + "b"));
        Assert.IsType<AuthenticationResult.NotMine>(await stage.Verify("mallory", password + "b"));
        Assert.Equal(4, stage.Hasher.Count); // and it costs what any refusal does
    }

    [Fact]
    public async Task Verify_PasswordBeyond72BytesForYescrypt_IsAccepted()
    {
        var password = new string('a', 100);
        using var stage = new HtpasswdStage(
            "alice:" + new PasswordHasher().Create(HashScheme.Yescrypt, 3, password) + "\n");
        Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("alice", password));
        Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", password + "a"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret\0")]
    [InlineData("secret\0more")]
    public async Task Verify_EmptyOrNul_IsRefusedWithoutHashing(string password)
    {
        using var stage = new HtpasswdStage(Alice);
        Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", password));
        Assert.IsType<AuthenticationResult.NotMine>(await stage.Verify("mallory", password));
        Assert.Equal(0, stage.Hasher.Count);
    }

    [Fact]
    public async Task Verify_TokenSizedPassword_IsNotHashed()
    {
        using var stage = new HtpasswdStage(Alice);
        Assert.IsType<AuthenticationResult.NotMine>(await stage.Verify("ci", new string('e', 2000)));
        Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", new string('e', 2000)));
        Assert.Equal(0, stage.Hasher.Count);
    }

    [Fact]
    public async Task Verify_NameThatNoUserCanHave_IsNotHashed()
    {
        using var stage = new HtpasswdStage(Alice);
        Assert.IsType<AuthenticationResult.NotMine>(await stage.Verify("alice/", "secret"));
        Assert.IsType<AuthenticationResult.NotMine>(await stage.Verify("", "secret"));
        Assert.Equal(0, stage.Hasher.Count);
    }

    [Fact]
    public async Task Reload_UserRemoved_IsRefusedAtOnceThoughRemembered()
    {
        using var stage = new HtpasswdStage(Alice + Bob);
        Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("alice", "secret"));
        stage.Reload(Bob);
        Assert.IsType<AuthenticationResult.NotMine>(await stage.Verify("alice", "secret"));
    }

    [Fact]
    public async Task Reload_PasswordChanged_RefusesTheOldAtOnceAndAcceptsTheNew()
    {
        using var stage = new HtpasswdStage(Alice);
        Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("alice", "secret"));
        stage.Reload(HtpasswdStage.Line("alice", "changed"));
        Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", "secret"));
        Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("alice", "changed"));
    }

    [Fact]
    public async Task Reload_AnotherUserAdded_KeepsThoseWhoAreSignedIn()
    {
        using var stage = new HtpasswdStage(Alice);
        await stage.Verify("alice", "secret");
        stage.Reload(Alice + Bob);
        Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("alice", "secret"));
        Assert.Equal(1, stage.Hasher.Count);
    }

    [Fact]
    public async Task Reload_BrokenFile_KeepsThePreviousUsers()
    {
        using var stage = new HtpasswdStage(Alice);
        stage.Reload("alice:secret\n");
        Assert.Single(stage.Users.Status.Problems);
        Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("alice", "secret"));
        Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", "other"));
    }

    [Fact]
    public async Task Reload_PasswordChangedWhileTheOldIsHashed_RefusesTheOld()
    {
        using var stage = new HtpasswdStage(Alice);
        stage.HoldThreads();
        var verification = stage.Verify("alice", "secret"); // will be found right, by the file that was
        stage.Reload(HtpasswdStage.Line("alice", "changed"));
        stage.ReleaseThreads();
        Assert.IsType<AuthenticationResult.Refused>(await verification);
        Assert.IsType<AuthenticationResult.Refused>(await stage.Verify("alice", "secret"));
    }

    [Fact]
    public async Task Reload_UserRemovedWhileHashed_IsRefused()
    {
        using var stage = new HtpasswdStage(Alice + Bob);
        stage.HoldThreads();
        var alice = stage.Verify("alice", "secret");
        var bob = stage.Verify("bob", "hunter2");
        stage.Reload(Bob);
        stage.ReleaseThreads();
        Assert.IsType<AuthenticationResult.NotMine>(await alice);
        Assert.IsType<AuthenticationResult.Accepted>(await bob); // the neighbour's line is what it was
        Assert.IsType<AuthenticationResult.NotMine>(await stage.Verify("alice", "secret"));
    }

    [Fact]
    public async Task Reload_PasswordChangedBehindAFlight_DoesNotJoinIt()
    {
        using var stage = new HtpasswdStage(HtpasswdStage.Line("alice", "old"));
        stage.HoldThreads();
        var before = stage.Verify("alice", "new"); // wrong, by the file that was
        stage.Reload(HtpasswdStage.Line("alice", "new"));
        var after = stage.Verify("alice", "new");
        stage.ReleaseThreads();
        await before;
        Assert.IsType<AuthenticationResult.Accepted>(await after);
    }

    [Fact]
    public async Task Verify_RightCredentialsFromManyThreads_HashOnce()
    {
        using var stage = new HtpasswdStage(Alice, threads: 2);
        stage.HoldThreads();
        var verifications = Enumerable.Range(0, 50)
            .Select(_ => Task.Run(() => stage.Verify("alice", "secret")))
            .ToArray();
        stage.ReleaseThreads(); // some come before this, some while it is hashed, some after
        Assert.All(await Task.WhenAll(verifications), result => Assert.IsType<AuthenticationResult.Accepted>(result));
        Assert.Equal(1, stage.Hasher.Count);
    }

    [Fact]
    public async Task Verify_SameCredentialsInParallel_ShareAFlightAndOthersDoNot()
    {
        using var stage = new HtpasswdStage(Alice);
        stage.HoldThreads();
        Task<AuthenticationResult>[] verifications =
        [
            .. Enumerable.Range(0, 20).Select(_ => stage.Verify("alice", "wrong")),
            .. Enumerable.Range(0, 20).Select(_ => stage.Verify("mallory", "wrong")),
            .. Enumerable.Range(0, 20).Select(_ => stage.Verify("alice", "secret")),
        ];
        stage.ReleaseThreads();
        var results = await Task.WhenAll(verifications);
        Assert.Equal(3, stage.Hasher.Count);
        Assert.Equal(20, results.Count(result => result is AuthenticationResult.Refused));
        Assert.Equal(20, results.Count(result => result is AuthenticationResult.NotMine));
        Assert.Equal(20, results.Count(result => result is AuthenticationResult.Accepted));
    }

    [Fact]
    public async Task Verify_QueueFull_IsUndecidedForNewOnesAndAcceptedForRememberedOnes()
    {
        using var stage = new HtpasswdStage(Alice + Bob, threads: 1, places: 2);
        await stage.Verify("bob", "hunter2");
        stage.HoldThreads();
        var first = stage.Verify("alice", "guess 1");
        var second = stage.Verify("alice", "guess 2");
        Assert.IsType<AuthenticationResult.Undecided>(await stage.Verify("alice", "secret"));
        Assert.IsType<AuthenticationResult.Undecided>(await stage.Verify("mallory", "guess"));
        Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("bob", "hunter2"));
        stage.ReleaseThreads();
        await Task.WhenAll(first, second);
        Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("alice", "secret"));
    }

    [Fact]
    public async Task Verify_ClientLeaves_DoesNotDisturbTheOthers()
    {
        using var stage = new HtpasswdStage(Alice);
        using var leaving = new CancellationTokenSource();
        stage.HoldThreads();
        var first = stage.Verify("alice", "secret", leaving.Token);
        var second = stage.Verify("alice", "secret");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        stage.ReleaseThreads();
        Assert.IsType<AuthenticationResult.Accepted>(await second);
        Assert.Equal(1, stage.Hasher.Count);
    }

    [Fact]
    public async Task Verify_ReloadsWithoutEnd_NeitherFailsNorAcceptsWrongly()
    {
        using var stage = new HtpasswdStage(Alice + Bob, threads: 2);
        using var stop = new CancellationTokenSource();
        var reloads = Task.Run(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                stage.Reload(i % 2 == 0 ? Alice + Bob : Bob + Alice);
            }
        });
        await Parallel.ForAsync(0, 400, async (i, _) =>
        {
            Assert.IsType<AuthenticationResult.Accepted>(await stage.Verify("alice", "secret", CancellationToken.None));
            Assert.IsType<AuthenticationResult.Refused>(
                await stage.Verify("bob", $"wrong {i % 7}", CancellationToken.None));
        });
        await stop.CancelAsync();
        await reloads;
    }
}
