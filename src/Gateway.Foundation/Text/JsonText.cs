using System.Text.Json;

namespace Gateway.Foundation.Text;

/// <summary>Reads members of documents that others wrote.</summary>
internal static class JsonText
{
    /// <summary>A member's string; <see langword="null"/> where there is none, it is no string, or this is no object.</summary>
    public static string? Text(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
