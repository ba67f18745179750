using System.Globalization;
using Gateway.Core.Registry;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// What clients are told when an upstream fails: which side failed, never its address or its own words.
/// </summary>
internal static class UpstreamErrors
{
    /// <summary>No upstream is configured as available.</summary>
    public static readonly RegistryError NoneAvailable =
        RegistryError.Unavailable(503, "the registry behind the gateway is not available; try again shortly");

    /// <summary>The connection failed or broke.</summary>
    public static readonly RegistryError Unreachable =
        RegistryError.Unavailable(502, "the registry behind the gateway cannot be reached; try again shortly");

    /// <summary>Nothing came in time.</summary>
    public static readonly RegistryError TimedOut =
        RegistryError.Unavailable(504, "the registry behind the gateway did not answer in time; try again shortly");

    /// <summary>
    /// The upstream asks for credentials: the gateway's own are missing or wrong. Its challenge stays here.
    /// </summary>
    public static readonly RegistryError Credential = RegistryError.Unavailable(
        502,
        "the registry behind the gateway refused the gateway's own credential; its operator must set \"credential\"");

    /// <summary>The upstream verifies tokens and refused the gateway's.</summary>
    public static readonly RegistryError Token = RegistryError.Unavailable(
        502,
        "the registry behind the gateway refused the gateway's token; its operator must run \"gateway keys probe\"");

    /// <summary>An answer that no registry gives.</summary>
    public static RegistryError Nonsense(string what) =>
        RegistryError.Unavailable(502, $"the registry behind the gateway gave an unusable answer: {what}");

    /// <summary>A redirect to a server that clients may not be sent to.</summary>
    /// <param name="origin">Its scheme, host and port.</param>
    public static RegistryError Redirect(string origin) => RegistryError.Unavailable(
        502,
        $"the registry behind the gateway redirects this download to {origin}, which its setting \"redirects.allow\" "
        + "does not allow; its operator must add that host");

    /// <summary>An upstream's 416 for a part of a blob.</summary>
    /// <param name="size">The blob's size in bytes, where it says that.</param>
    public static RegistryError RangeNotSatisfiable(long? size) => size is { } bytes
        ? RegistryError.RangeInvalid(
            string.Create(CultureInfo.InvariantCulture, $"the range is outside the blob, which has {bytes} bytes"),
            string.Create(CultureInfo.InvariantCulture, $"bytes */{bytes}"))
        : RegistryError.RangeInvalid("the range is malformed or outside the blob", null);

    /// <summary>An upstream's 412 for a blob.</summary>
    public static readonly RegistryError PreconditionFailed = RegistryError.PreconditionFailed(
        "the request's If-Match or If-Unmodified-Since does not hold: the stored content is different or newer");

    /// <summary>An upstream's 5xx, without its body: Distribution puts paths of its storage into it.</summary>
    public static RegistryError Failed(int statusCode) => statusCode switch
    {
        503 => NoneAvailable,
        504 => TimedOut,
        502 => Unreachable,
        > 599 => Nonsense($"status {statusCode}"), // there is no such class: no client knows what it means
        _ =>
            new RegistryError(
                "UNKNOWN", statusCode, "the registry behind the gateway failed; its own log has the reason"),
    };
}
