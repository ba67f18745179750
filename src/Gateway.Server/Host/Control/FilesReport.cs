using System.Text.Json.Serialization;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.Host.Control;

/// <summary>What the running gateway says of the files it reads again, on the control socket.</summary>
/// <param name="Files">Each kind of them.</param>
internal sealed record FilesReport(IReadOnlyList<FilesStanding> Files);

/// <summary>How the last reading of one kind of files went.</summary>
/// <param name="Name">Which: <c>policies</c>, <c>htpasswd</c>.</param>
/// <param name="LoadedAt">When those in force were read.</param>
/// <param name="Problems">Why newer ones are not in force; empty while those on the disk are.</param>
internal sealed record FilesStanding(string Name, DateTimeOffset LoadedAt, IReadOnlyList<string> Problems)
{
    /// <summary>The state of files.</summary>
    public static FilesStanding Of(string name, ReloadStatus status) =>
        new(name, status.LoadedAt, [.. status.Problems.Select(static problem => problem.ToString())]);
}

/// <summary>The wire format.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FilesReport))]
[JsonSerializable(typeof(FilesStanding))]
internal sealed partial class FilesJsonContext : JsonSerializerContext;
