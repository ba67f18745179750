using System.Text.Json;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Registry.Proxying;

/// <summary>Reads the one array of names that a registry's lists consist of.</summary>
internal static class JsonStrings
{
    /// <summary>
    /// The strings of an array member; none where it is <c>null</c>, as Distribution writes an empty list.
    /// </summary>
    /// <exception cref="UpstreamException">The body is not a JSON object with such a member.</exception>
    public static IReadOnlyList<string> Read(ReadOnlyMemory<byte> body, string member)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var array = json.RootElement.GetProperty(member);
            return array.ValueKind == JsonValueKind.Null
                ? []
                : [.. array.EnumerateArray().Select(static e => e.GetString()!)];
        }
        catch (Exception exception)
            when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new UpstreamException(UpstreamErrors.Nonsense($"a list without \"{member}\""), exception);
        }
    }
}
