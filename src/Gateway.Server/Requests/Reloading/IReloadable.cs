using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Reloading;

/// <summary>Something read from files that is read anew when they change.</summary>
internal interface IReloadable
{
    /// <summary>
    /// What it is, in logs, health and metrics: <c>policies</c>, <c>htpasswd</c>, <c>certificates</c>.
    /// </summary>
    string Name { get; }

    /// <summary>How the last reading went.</summary>
    ReloadStatus Status { get; }

    /// <summary>
    /// Looks at the files once. Changed ones are read when a later look shows them alike, refused ones once a minute
    /// besides; the value in force is kept if they are wrong.
    /// </summary>
    void ReloadIfChanged();
}

/// <summary>How the last reading of something reloadable went.</summary>
/// <param name="LoadedAt">When the value in force was read.</param>
/// <param name="Problems">
/// Why newer files are not in force; empty while the files on disk are the ones in force.
/// </param>
/// <param name="Reloads">How often newer files came into force since the start.</param>
/// <param name="Refusals">How often newer files were refused since the start.</param>
internal sealed record ReloadStatus(
    DateTimeOffset LoadedAt, IReadOnlyList<Problem> Problems, long Reloads = 0, long Refusals = 0);
