using Gateway.Server.Requests.Reloading;

namespace Gateway.Tests.Support;

/// <summary>Has files looked at as <see cref="FileReloadService"/> does, by a clock that a test moves.</summary>
internal static class Looks
{
    /// <summary>The time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>Looks once, half a second after the last time.</summary>
    public static void Look(this IReloadable files, Action<TimeSpan> advance)
    {
        advance(Interval);
        files.ReloadIfChanged();
    }

    /// <summary>Looks as often as it takes to read files that keep still.</summary>
    public static void LookTwice(this IReloadable files, Action<TimeSpan> advance)
    {
        files.Look(advance);
        files.Look(advance);
    }
}
