using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// One request that a client sent, and the head of its answer: never a password, a token or a ticket.
/// </summary>
/// <remarks>
/// As text, what changes from run to run is replaced, and of tokens only what they grant is told:
/// <c>POST /token form(grant_type=password,…) -> 200</c>,
/// <c>HEAD /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull,push) -> 404</c>.
/// </remarks>
internal sealed partial class ClientRequest
{
    private const int MaxBody = 64 * 1024;

    private ClientRequest(HttpContext context)
    {
        Method = context.Request.Method;
        Target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        Protocol = context.Request.Protocol;
        Agent = context.Request.Headers.UserAgent.ToString();
        Authorization = Describe(context.Request.Headers.Authorization);
        Host = context.Request.Host.Value ?? "";
    }

    /// <summary>The method.</summary>
    public string Method { get; }

    /// <summary>The target as received.</summary>
    public string Target { get; }

    /// <summary><c>HTTP/1.1</c> or <c>HTTP/2</c>.</summary>
    public string Protocol { get; }

    /// <summary>The <c>Host</c> that it was sent for.</summary>
    public string Host { get; }

    /// <summary>The <c>User-Agent</c>.</summary>
    public string Agent { get; }

    /// <summary>
    /// <c>basic(NAME)</c>, <c>bearer(SUBJECT ACCESS)</c> from inside a JWS, <c>bearer(opaque)</c>; empty without
    /// credentials.
    /// </summary>
    public string Authorization { get; }

    /// <summary>A form's fields, secrets without their value; empty unless it had one.</summary>
    public string Form { get; private set; } = "";

    /// <summary>The answer's status; 0 while there is none.</summary>
    public int Status { get; private set; }

    /// <summary>The answer's <c>WWW-Authenticate</c>, with this host as <c>[host]</c>; empty without one.</summary>
    public string Challenge { get; private set; } = "";

    /// <summary>
    /// Of a token endpoint's answer the names of its fields, sorted; of any other error its code; else empty.
    /// </summary>
    public string Body { get; private set; } = "";

    /// <summary>Whether it went to the token endpoint.</summary>
    public bool IsToken => Target == "/token" || Target.StartsWith("/token?", StringComparison.Ordinal);

    public static async Task<ClientRequest> ReadAsync(HttpContext context)
    {
        var request = new ClientRequest(context);
        if (request.IsToken && context.Request.HasFormContentType)
        {
            context.Request.EnableBuffering(MaxBody, MaxBody);
            var text = await new StreamReader(context.Request.Body).ReadToEndAsync();
            context.Request.Body.Position = 0;
            request.Form = string.Join(
                ',', new FormReader(text).ReadForm().SelectMany(static field => field.Value.Select(
                value => field.Key is "password" or "refresh_token" or "access_token"
                    ? field.Key
                    : $"{field.Key}={value}")));
        }

        return request;
    }

    public async Task AnsweredAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        Challenge = answer.Headers.TryGetValues("WWW-Authenticate", out var challenges)
            ? string.Join(" AND ", challenges).Replace(Host, "[host]", StringComparison.Ordinal)
            : "";
        if (Method != "HEAD" && answer.Content.Headers.ContentType?.MediaType == "application/json"
            && (IsToken || !answer.IsSuccessStatusCode))
        {
            await answer.Content.LoadIntoBufferAsync(MaxBody, cancellationToken);
            Body = Describe(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
        }

        Status = (int)answer.StatusCode;
    }

    public override string ToString()
    {
        var text = new StringBuilder(Method).Append(' ').Append(StableTarget);
        text.Append(Authorization.Length > 0 ? " " + Authorization : "");
        text.Append(Form.Length > 0 ? $" form({Form.Replace(Host, "[host]", StringComparison.Ordinal)})" : "");
        return text.Append(CultureInfo.InvariantCulture, $" -> {Status}").ToString();
    }

    // Clients escape a query in different ways; in a token request that is of no interest.
    private string StableTarget => IsToken
        ? Uri.UnescapeDataString(Target).Replace(Host, "[host]", StringComparison.Ordinal)
        : Query().Replace(Ids().Replace(Digests().Replace(Target, "[digest]"), "/uploads/[id]"), "$1=[$1]");

    private static string Describe(string? authorization)
    {
        var parts = (authorization ?? "").Split(' ', 2);
        return parts[0].ToUpperInvariant() switch
        {
            "" => "",
            "BASIC" => $"basic({Encoding.UTF8.GetString(Convert.FromBase64String(parts[1])).Split(':')[0]})",
            "BEARER" when parts[1].Split('.') is [_, var claims, _] => $"bearer({DescribeClaims(claims)})",
            "BEARER" => "bearer(opaque)",
            _ => parts[0],
        };
    }

    private static string DescribeClaims(string claims)
    {
        using var json = JsonDocument.Parse(WebEncoders.Base64UrlDecode(claims));
        var subject = json.RootElement.GetProperty("sub").GetString();
        var access = json.RootElement.TryGetProperty("access", out var items)
            ? items.EnumerateArray().Select(static item =>
                $"{item.GetProperty("name")}:{string.Join(',', item.GetProperty("actions").EnumerateArray())}")
            : [];
        return string.Join(' ', [string.IsNullOrEmpty(subject) ? "anonymous" : subject, .. access]);
    }

    private static string Describe(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.TryGetProperty("errors", out var errors)
                ? errors[0].GetProperty("code").GetString()!
                : string.Join(
                    ',',
                    json.RootElement.EnumerateObject()
                        .Select(static field => field.Name)
                        .Order(StringComparer.Ordinal));
        }
        catch (JsonException)
        {
            return "not JSON";
        }
    }

    [GeneratedRegex("sha256(:|%3A)[0-9a-f]{64}|(?<=sha256-)[0-9a-f]{64}")]
    private static partial Regex Digests();

    [GeneratedRegex("/uploads/[^/?]+")]
    private static partial Regex Ids();

    [GeneratedRegex("(_ticket|_state|origin)=[^&]*")]
    private static partial Regex Query();
}
