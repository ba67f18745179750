using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Reloading;
using Gateway.Tests.Server.Requests.Tls;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Requests.Reloading;

public sealed class ReloadableTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new();
    private readonly string _file;

    public ReloadableTests() => _file = _folder.Write("value", "1");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Look_FileThatIsWrittenPieceByPiece_IsReadOnceItIsWhole()
    {
        var value = Create();
        File.WriteAllText(_file, "");
        foreach (var piece in "half of a new value")
        {
            value.Look(_clock.Advance);
            File.AppendAllText(_file, piece.ToString());
            Assert.Equal(("1", 0L), (value.Current, value.Status.Refusals));
        }

        value.LookTwice(_clock.Advance);

        Assert.Equal("half of a new value", value.Current);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Look_Change_IsInForceWithinTwoSeconds(bool isRemoved)
    {
        var other = _folder.Write("other", "2");
        var value = new Reloadable<string>(
            "values", () => [_file, other], () => File.Exists(other) ? "both" : "one", _clock,
            NullLogger<Reloadable<string>>.Instance);
        value.ReloadIfChanged(); // the change comes right after a look
        if (isRemoved)
        {
            File.Delete(other);
        }
        else
        {
            File.WriteAllText(other, "22");
        }

        var looks = 0;
        for (; value.Status.Reloads == 0 && looks < 10; looks++)
        {
            value.Look(_clock.Advance);
        }

        Assert.Equal(isRemoved ? ("one", 3) : ("both", 2), (value.Current, looks)); // half a second each
    }

    [Fact]
    public void Look_FileRemovedAndWrittenAnew_IsNeverMissed()
    {
        var value = new Reloadable<string>(
            "values", () => [_file], () => File.Exists(_file) ? File.ReadAllText(_file) : "gone", _clock,
            NullLogger<Reloadable<string>>.Instance);
        File.Delete(_file);
        value.LookTwice(_clock.Advance);
        Assert.Equal("1", value.Current);

        _folder.Write("value", "22");
        value.LookTwice(_clock.Advance);

        Assert.Equal(("22", 1L), (value.Current, value.Status.Reloads));
    }

    // A look that took long is followed at once by the next: the two say nothing of what happens between.
    [Fact]
    public void Look_TwiceAtOnce_ReadsNothing()
    {
        var value = Create();
        _folder.Write("value", "22");

        value.ReloadIfChanged();
        value.ReloadIfChanged();
        value.ReloadIfChanged();
        Assert.Equal("1", value.Current);

        value.Look(_clock.Advance);
        Assert.Equal("22", value.Current);
    }

    [Fact]
    public void Look_FilesSwappedWhileTheyAreRead_AreReadAgainAndNeitherTakenNorRefused()
    {
        var loads = 0;
        var value = Create(() =>
        {
            var text = File.ReadAllText(_file);
            if (++loads == 2)
            {
                _folder.Write("value", "333"); // after it was read
            }

            return text;
        });
        _folder.Write("value", "22");

        value.LookTwice(_clock.Advance);
        Assert.Equal(("1", 2, 0L), (value.Current, loads, value.Status.Refusals));

        value.Look(_clock.Advance);
        Assert.Equal(("333", 3, 0L), (value.Current, loads, value.Status.Refusals));
        value.LookTwice(_clock.Advance);
        Assert.Equal(3, loads); // what was read last is what is there
    }

    [Fact]
    public void Look_HalvesOfTwoVersions_AreReadAgainAndNotRefused()
    {
        var loads = 0;
        var value = Create(() =>
        {
            if (++loads == 2)
            {
                _folder.Write("value", "333");
                throw new ProblemException(new Problem(_file, "half of the old, half of the new", null, ""));
            }

            return File.ReadAllText(_file);
        });
        _folder.Write("value", "22");

        value.LookTwice(_clock.Advance);
        value.Look(_clock.Advance);

        Assert.Equal(("333", 3, 0L), (value.Current, loads, value.Status.Refusals));
    }

    [Fact]
    public void Start_FilesSwappedWhileTheyAreRead_AreReadAgain()
    {
        var loads = 0;

        var value = Create(() =>
        {
            var text = File.ReadAllText(_file);
            if (++loads == 1)
            {
                _folder.Write("value", "22");
            }

            return text;
        });

        Assert.Equal(("22", 2), (value.Current, loads));
    }

    [Fact]
    public void Look_FilesThatAreWrong_AreRefusedOnceTheyKeepStill()
    {
        var loads = 0;
        var value = Create(() => ++loads == 1
            ? "good"
            : throw new ProblemException(new Problem(_file, "wrong", null, "")));
        _folder.Write("value", "22");

        value.LookTwice(_clock.Advance);

        Assert.Equal(("good", 2, 1L), (value.Current, loads, value.Status.Refusals));
    }

    [Fact]
    public void Look_FilesThatCannotBeRead_AreRefusedAndSaid()
    {
        var loads = 0;
        var value = Create(() => ++loads == 1 ? "good" : throw new IOException("input/output error"));
        _folder.Write("value", "22");

        value.LookTwice(_clock.Advance);

        Assert.Equal(
            ("good", 2, "input/output error"), (value.Current, loads, Assert.Single(value.Status.Problems).Found));
    }

    [Fact]
    public void Look_FilesThatNeverKeepStill_AreSaidAfterTenSecondsAndTakenInTheEnd()
    {
        var value = Create();
        var until = _clock.GetUtcNow() + TimeSpan.FromSeconds(30);
        DateTimeOffset? said = null;
        for (var size = 2; _clock.GetUtcNow() < until; size++)
        {
            _folder.Write("value", new string('x', size));
            value.Look(_clock.Advance);
            said ??= value.Status.Problems.Count > 0 ? _clock.GetUtcNow() : null;
        }

        Assert.Equal(("1", 1L), (value.Current, value.Status.Refusals)); // said once
        Assert.Equal("the files kept changing for 10 seconds", Assert.Single(value.Status.Problems).What);
        Assert.InRange(until - said!.Value, TimeSpan.FromSeconds(19), TimeSpan.FromSeconds(20));

        value.LookTwice(_clock.Advance);
        Assert.Equal((61, 0), (value.Current.Length, value.Status.Problems.Count));
    }

    [Fact]
    public async Task Look_LinkPutBack_ForgetsWhatWasWrong()
    {
        _folder.Write("one/value", "1");
        _folder.Write("two/value", "22");
        _folder.Write("three/value", "333");
        var link = Path.Combine(_folder.Path, "current");
        File.CreateSymbolicLink(link, "one");
        var value = new Reloadable<string>(
            "values",
            () => [Path.Combine(link, "value")],
            () => File.ReadAllText(Path.Combine(link, "value")) is "1"
                ? "1"
                : throw new ProblemException(new Problem(_file, "wrong", null, "")),
            _clock,
            NullLogger<Reloadable<string>>.Instance);
        for (var swap = 0; swap < 25; swap++) // more than ten seconds without keeping still
        {
            await SwapAsync(swap % 2 == 0 ? "two" : "three");
            value.Look(_clock.Advance);
        }

        Assert.Single(value.Status.Problems);
        await SwapAsync("one"); // the very file that is in force
        value.Look(_clock.Advance);
        Assert.Equal((0, 0L), (value.Status.Problems.Count, value.Status.Reloads));

        await SwapAsync("two");
        value.LookTwice(_clock.Advance);
        Assert.Single(value.Status.Problems);

        await SwapAsync("one");
        value.LookTwice(_clock.Advance);
        Assert.Empty(value.Status.Problems);

        async Task SwapAsync(string folder)
        {
            File.CreateSymbolicLink(link + ".new", folder);
            await Tool.RenameAsync(link + ".new", link);
        }
    }

    [Fact]
    public async Task ReloadAsync_Accepted_HoldsForWhatIsThereAndNothingElse()
    {
        var accepted = new List<bool>();
        var value = new Reloadable<string>(
            "values",
            () => [_file],
            replaced =>
            {
                accepted.Add(replaced.IsAccepted);
                return replaced.InForce is null || replaced.IsAccepted
                    ? File.ReadAllText(_file)
                    : throw new ProblemException(new Problem(_file, "too small", null, ""));
            },
            TimeProvider.System,
            NullLogger<Reloadable<string>>.Instance);
        _folder.Write("value", "22");
        Assert.Single((await value.ReloadAsync(isAccepted: false, CancellationToken.None)).Problems);
        Assert.Equal("1", value.Current);

        Assert.Empty((await value.ReloadAsync(isAccepted: true, CancellationToken.None)).Problems);
        Assert.Equal("22", value.Current);

        _folder.Write("value", "333");
        Assert.Single((await value.ReloadAsync(isAccepted: false, CancellationToken.None)).Problems);
        Assert.Equal([false, false, true, false], accepted);
    }

    [Fact]
    public async Task ReloadAsync_GivenUp_LeavesNoAcceptanceBehind()
    {
        var value = new Reloadable<string>(
            "values",
            () => [_file],
            replaced => replaced.IsAccepted ? "accepted" : "asked",
            _clock, // it stands, so that nothing is read while it is asked for
            NullLogger<Reloadable<string>>.Instance);
        using var limit = new CancellationTokenSource();
        var asked = value.ReloadAsync(isAccepted: true, limit.Token);
        await limit.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);

        _folder.Write("value", "22");
        value.LookTwice(_clock.Advance);

        Assert.Equal(("asked", 1L), (value.Current, value.Status.Reloads));
    }

    private Reloadable<string> Create(Func<string>? load = null) => new(
        "values", () => [_file], load ?? (() => File.ReadAllText(_file)), _clock,
        NullLogger<Reloadable<string>>.Instance);
}
