namespace Gateway.Core.Registry;

/// <summary>One entry of the <c>errors</c> array in an answer, with the status that goes with it.</summary>
/// <param name="Code">
/// Codes: OCI distribution specification, "Error Codes", and Distribution's own where it has none.
/// </param>
/// <param name="StatusCode">The HTTP status.</param>
/// <param name="Message">
/// For the person at the client; docker and podman print it. Lower-case start, never a secret.
/// </param>
public sealed record RegistryError(string Code, int StatusCode, string Message)
{
    /// <summary>The code of a refusal to a known caller, which audit and metrics go by.</summary>
    public const string DeniedCode = "DENIED";

    /// <summary>
    /// Facts for the curious client: the rule, the missing grant. Serialized as a JSON object of strings.
    /// </summary>
    public IReadOnlyDictionary<string, string>? Detail { get; init; }

    /// <summary>The <c>Allow</c> header of a 405; <see langword="null"/> otherwise.</summary>
    public string? Allow { get; init; }

    /// <summary>The <c>Content-Range</c> header of a 416; <see langword="null"/> where the size is not known.</summary>
    public string? ContentRange { get; init; }

    /// <summary>
    /// Until when there is no use in asking again: exactly in the detail, as <c>retryAfterSeconds</c>, and in
    /// <c>Retry-After</c> as far as clients wait. <see langword="null"/> where that is not known.
    /// </summary>
    public TimeSpan? Wait { get; init; }

    /// <summary>
    /// The code of RFC 6749, section 5.2, for the token endpoint, where it is next to the errors, together with the
    /// message; <see langword="null"/> elsewhere.
    /// </summary>
    public string? OAuthCode { get; init; }

    /// <summary>No credentials, or wrong ones. Always sent together with a challenge.</summary>
    public static RegistryError Unauthorized(string message) => new("UNAUTHORIZED", 401, message);

    /// <summary>
    /// A form or query that is malformed, at an endpoint that speaks OAuth 2 (RFC 6749, section 5.2).
    /// </summary>
    public static RegistryError InvalidRequest(string message) =>
        BadRequest(message) with { OAuthCode = "invalid_request" };

    /// <summary>A known caller whom policy refuses.</summary>
    public static RegistryError Denied(string message) => new(DeniedCode, 403, message);

    /// <summary>A limit is used up. Never sent with a challenge: nothing is wrong with the credentials.</summary>
    /// <param name="message">Which, and when it is possible again.</param>
    /// <param name="wait">Until then.</param>
    public static RegistryError TooManyRequests(string message, TimeSpan wait) =>
        new("TOOMANYREQUESTS", 429, message) { Wait = wait };

    /// <summary>A path that is not part of the API.</summary>
    public static RegistryError NotFound(string message) => new("UNSUPPORTED", 404, message);

    /// <summary>A known path with a method it does not have.</summary>
    public static RegistryError MethodNotAllowed(string message, string allow) =>
        new("UNSUPPORTED", 405, message) { Allow = allow };

    /// <summary>A repository name outside the grammar.</summary>
    public static RegistryError NameInvalid(string message) => new("NAME_INVALID", 400, message);

    /// <summary>A malformed digest.</summary>
    public static RegistryError DigestInvalid(string message) => new("DIGEST_INVALID", 400, message);

    /// <summary>A malformed tag.</summary>
    public static RegistryError TagInvalid(string message) => new("TAG_INVALID", 400, message);

    /// <summary>An upload that cannot exist, since its id is none that a registry issues.</summary>
    public static RegistryError BlobUploadUnknown(string message) => new("BLOB_UPLOAD_UNKNOWN", 404, message);

    /// <summary>An upload ticket that cannot be one. Distribution answers 404 for its own upload state too.</summary>
    public static RegistryError BlobUploadInvalid(string message) => new("BLOB_UPLOAD_INVALID", 404, message);

    /// <summary>A malformed page size.</summary>
    public static RegistryError PaginationNumberInvalid(string message) =>
        new("PAGINATION_NUMBER_INVALID", 400, message);

    /// <summary>A request that is malformed in a way that has no code of its own.</summary>
    public static RegistryError BadRequest(string message) => new("UNSUPPORTED", 400, message);

    /// <summary>A range that the blob does not have.</summary>
    /// <param name="message">Which part there is.</param>
    /// <param name="contentRange">The <c>Content-Range</c> header, with the blob's size.</param>
    public static RegistryError RangeInvalid(string message, string? contentRange) =>
        new("RANGE_INVALID", 416, message) { ContentRange = contentRange };

    /// <summary>A condition of the request's own, such as <c>If-Match</c>, that does not hold.</summary>
    public static RegistryError PreconditionFailed(string message) => new("UNKNOWN", 412, message);

    /// <summary>A request target beyond the limit.</summary>
    public static RegistryError TargetTooLong(string message) => new("UNSUPPORTED", 414, message);

    /// <summary>The upstream, or something a decision needs, cannot be reached.</summary>
    /// <param name="statusCode">502, 503 or 504.</param>
    /// <param name="message">What cannot be reached, never how it is reached.</param>
    public static RegistryError Unavailable(int statusCode, string message) => new("UNAVAILABLE", statusCode, message);
}
