namespace Gateway.Server.Requests.Cors;

/// <summary>
/// Which web pages of other origins may use the registry from a browser. None, unless <c>origins</c> names one.
/// </summary>
public sealed class CorsOptions
{
    /// <summary>
    /// Origins of the pages, as browsers send them: <c>https://ui.example.com</c>, <c>http://localhost:8080</c>;
    /// <c>https://*.example.com</c> for every name below a domain; or <c>*</c> for every page.
    /// </summary>
    public List<string> Origins { get; set; } = [];

    /// <summary>
    /// Whether their scripts may use the name and password that the browser stores for the registry, as a UI does that
    /// leaves the sign-in to the browser's own prompt. They then act with all rights of the signed-in user. Not allowed
    /// with <c>*</c>.
    /// </summary>
    public bool Credentials { get; set; }

    /// <summary>Methods that their scripts may use.</summary>
    public List<string> Methods { get; set; } = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

    /// <summary>Headers that their scripts may send.</summary>
    public List<string> Headers { get; set; } =
    [
        "Authorization", "Accept", "Cache-Control", "Content-Type", "Content-Range", "If-None-Match", "Range",
    ];

    /// <summary>Headers of answers that their scripts may read.</summary>
    public List<string> ExposedHeaders { get; set; } =
    [
        "Docker-Content-Digest", "Docker-Distribution-Api-Version", "Docker-Upload-UUID", "WWW-Authenticate", "Link",
        "Location", "X-Request-Id", "ETag", "Range", "Content-Range", "Accept-Ranges", "OCI-Chunk-Min-Length",
        "OCI-Filters-Applied", "OCI-Subject", "OCI-Tag", "Warning", "Retry-After", "ratelimit-limit",
        "ratelimit-remaining", "docker-ratelimit-source",
    ];

    /// <summary>How long browsers may cache the answer to a preflight: zero (not at all) to 24 hours.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromHours(1);
}
