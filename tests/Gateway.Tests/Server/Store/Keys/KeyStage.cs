#pragma warning disable CA1416 // the gateway runs on Linux
using Gateway.Foundation.Configuration;
using Gateway.Server.Store.Keys;
using Gateway.Server.Tokens.Service;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Store.Keys;

/// <summary>A key folder on disk, with a clock that is moved by hand.</summary>
internal sealed class KeyStage : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public ObservedClock Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public TokenOptions Options { get; } = new();

    /// <summary>By the options as they are now.</summary>
    public SigningKeySchedule Schedule =>
        new(new SigningKeySettings(Options.Algorithm, Options.Keys.RotateAfter, Options.UploadWindow), Time);

    public string Folder => Path.Combine(_root.Path, "state", "keys");

    /// <summary>A view of the folder as another process has it.</summary>
    public KeyFolder Open() => new(Folder, Schedule);

    public SigningKeyRing Ring() => new(Schedule.Usable(Open().Read()));

    public string[] KeyFiles() => [.. Directory.GetFiles(Folder, "*.pem").Order(StringComparer.Ordinal)];

    /// <summary>The problems of reading the folder, one a line, without the folder's name.</summary>
    public string Problems()
    {
        var exception = Assert.Throws<ProblemException>(() => Open().Read());
        return exception.Message.Replace(Folder, "KEYS", StringComparison.Ordinal);
    }

    /// <summary>Writes a file as an operator does: for the owner alone.</summary>
    public string Write(string name, string text)
    {
        Directory.CreateDirectory(Folder);
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    public void Dispose() => _root.Dispose();
}
