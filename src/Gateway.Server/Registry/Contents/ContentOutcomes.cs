using System.Text.Json;

namespace Gateway.Server.Registry.Contents;

/// <summary>How a request for a manifest or a small blob was answered.</summary>
internal enum ContentResult
{
    /// <summary>From memory.</summary>
    Hit,

    /// <summary>From memory, after the registry said that the tag still names this digest.</summary>
    Checked,

    /// <summary>With what another request for the same brought.</summary>
    Shared,

    /// <summary>By the registry.</summary>
    Miss,

    /// <summary>By the registry, since deletions by other replicas may be unknown here.</summary>
    Bypass,
}

/// <summary>What came of an answer that might have been kept.</summary>
internal enum ContentOutcome
{
    /// <summary>It is kept.</summary>
    Stored,

    /// <summary>Another status than 200: not found, a redirect, an error.</summary>
    Status,

    /// <summary>It says no length, or one beyond the limit.</summary>
    TooLarge,

    /// <summary>As many bytes as may be are being read already.</summary>
    NoRoom,

    /// <summary>A media type that is none of a manifest or a blob, or a body that is not of its type.</summary>
    Type,

    /// <summary>Headers that say more than a kept answer can: an encoding, a <c>Vary</c>, <c>no-store</c>.</summary>
    Headers,

    /// <summary>The body does not have the digest.</summary>
    Digest,

    /// <summary>Something was deleted meanwhile.</summary>
    Dropped,

    /// <summary>No answer came, or it broke off.</summary>
    Failed,
}

/// <summary>Why a content is kept no longer.</summary>
internal enum ContentEnd
{
    /// <summary>Another one needed the room.</summary>
    Room,

    /// <summary>It reached <c>maxAge</c>.</summary>
    Age,

    /// <summary>It was deleted, or its tag was pushed.</summary>
    Deleted,

    /// <summary>Another answer to the same question took its place.</summary>
    Replaced,

    /// <summary>Deletions by other replicas could not be received for a while.</summary>
    Gap,
}

/// <summary>The names of such values in labels.</summary>
internal static class ContentNames
{
    /// <summary>All of an enumeration, by their numbers.</summary>
    public static string[] Of<T>()
        where T : struct, Enum => [.. Enum.GetNames<T>().Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)];
}
