using System.Text.Json;

namespace Gateway.EndToEndTests.Cors;

/// <summary>What a page's script could see of an answer.</summary>
/// <param name="Status">The status; 0 where the browser refused.</param>
/// <param name="Headers">The headers that it could read, in lower case.</param>
/// <param name="Body">The body, or why the browser refused.</param>
internal sealed record PageAnswer(int Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    /// <summary>Reads what the functions of <c>registry.js</c> return.</summary>
    public static PageAnswer Read(string json) =>
        JsonSerializer.Deserialize<PageAnswer>(json, JsonSerializerOptions.Web)!;

    /// <summary>Whether the browser kept everything from the script.</summary>
    public bool IsRefused => Status == 0 && Headers.Count == 0;
}
