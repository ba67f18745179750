using System.Collections.Frozen;
using System.Text.Json;

namespace Gateway.Server.Registry.Contents;

/// <summary>Whether a body is a manifest of the type that its answer says.</summary>
/// <remarks>
/// OCI image specification, "manifest" and "image-index"; Docker's image manifest version 2, schema 2. Not schema 1,
/// whose digest is not that of its bytes.
/// </remarks>
internal static class ManifestShape
{
    // The members that one of the type must have.
    private static readonly FrozenDictionary<string, string[]> Types = new Dictionary<string, string[]>
    {
        ["application/vnd.oci.image.manifest.v1+json"] = ["config", "layers"],
        ["application/vnd.docker.distribution.manifest.v2+json"] = ["config", "layers"],
        ["application/vnd.oci.image.index.v1+json"] = ["manifests"],
        ["application/vnd.docker.distribution.manifest.list.v2+json"] = ["manifests"],
    }.ToFrozenDictionary();

    /// <summary>Whether a media type is one of a manifest.</summary>
    public static bool IsKnown(string? mediaType) => mediaType is not null && Types.ContainsKey(mediaType);

    /// <summary>Whether a body is JSON of a type: with its members, and without another type's name in it.</summary>
    public static bool IsOf(string? mediaType, ReadOnlySpan<byte> body)
    {
        if (mediaType is null || !Types.TryGetValue(mediaType, out var members))
        {
            return false;
        }

        try
        {
            return HasShape(new Utf8JsonReader(body), mediaType, members);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool HasShape(Utf8JsonReader json, string mediaType, string[] members)
    {
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            return false;
        }

        var (isOfType, found) = (true, 0);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("mediaType"u8))
            {
                json.Read();
                isOfType &= json.TokenType == JsonTokenType.String && json.ValueTextEquals(mediaType);
            }
            else if (json.ValueTextEquals("schemaVersion"u8))
            {
                json.Read();
                isOfType &= json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var version) && version == 2;
            }
            else
            {
                found |= FlagOf(ref json, members);
                json.Read();
            }

            json.Skip();
        }

        return isOfType && found == (1 << members.Length) - 1 && !json.Read(); // it throws where anything follows
    }

    private static int FlagOf(ref Utf8JsonReader json, string[] members)
    {
        for (var i = 0; i < members.Length; i++)
        {
            if (json.ValueTextEquals(members[i]))
            {
                return 1 << i;
            }
        }

        return 0;
    }
}
