using System.Text.Json;

namespace Gateway.Foundation.Text;

/// <summary>Reads members of foreign documents.</summary>
internal static class JsonText
{
    /// <summary>
    /// A member's string; <see langword="null"/> if there is none, it is not a string, or this is not an object.
    /// </summary>
    public static string? Text(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
