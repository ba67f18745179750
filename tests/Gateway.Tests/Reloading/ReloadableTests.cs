using Gateway.Configuration;
using Gateway.Reloading;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Reloading;

public sealed class ReloadableTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _file;

    public ReloadableTests() => _file = _folder.Write("value", "1");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ReloadIfChanged_FilesSwappedWhileTheyAreRead_AreReadAgainAndNotRefused()
    {
        var loads = 0;
        var value = Create(() =>
        {
            if (++loads == 2)
            {
                _folder.Write("value", "33");
                throw new ProblemException(new Problem(_file, "half of the old, half of the new", null, ""));
            }

            return File.ReadAllText(_file);
        });
        _folder.Write("value", "22");

        value.ReloadIfChanged();

        Assert.Equal(("33", 3, 0L), (value.Current, loads, value.Status.Refusals));
        value.ReloadIfChanged();
        Assert.Equal(3, loads); // what was read last is what is there
    }

    [Fact]
    public void ReloadIfChanged_FilesThatAreWrong_AreRefusedAtOnce()
    {
        var loads = 0;
        var value = Create(() => ++loads == 1
            ? "good"
            : throw new ProblemException(new Problem(_file, "wrong", null, "")));
        _folder.Write("value", "22");

        value.ReloadIfChanged();

        Assert.Equal(("good", 2, 1L), (value.Current, loads, value.Status.Refusals));
    }

    [Fact]
    public void ReloadIfChanged_FilesThatNeverKeepStill_AreRefusedInTheEnd()
    {
        var loads = 0;
        var value = Create(() =>
        {
            _folder.Write("value", new string('x', ++loads));
            return loads == 1 ? "good" : throw new ProblemException(new Problem(_file, "torn", null, ""));
        });

        value.ReloadIfChanged();

        Assert.Equal(("good", 1L), (value.Current, value.Status.Refusals));
        Assert.InRange(loads, 2, 10);
    }

    private Reloadable<string> Create(Func<string> load) => new(
        "values", () => [_file], load, TimeProvider.System, NullLogger<Reloadable<string>>.Instance);
}
