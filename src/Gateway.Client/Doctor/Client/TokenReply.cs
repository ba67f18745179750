using System.Net;
using System.Text.Json;
using Gateway.Foundation.Text;

namespace Gateway.Client.Doctor.Client;

/// <summary>The answer of a token endpoint.</summary>
/// <param name="Status">The status.</param>
/// <param name="Token">The token; <see langword="null"/> if there is none that fits into a header.</param>
/// <param name="Life">The lifetime that it names.</param>
/// <param name="Body">The body if there is no token; untrusted, and not cleaned.</param>
internal sealed record TokenReply(HttpStatusCode Status, string? Token, TimeSpan? Life, string Body)
{
    // The characters of a header; a token with others would be dropped, and a proxy blamed for it.
    private static bool IsSendable(string token) => token.All(static c => c is > ' ' and <= '~');

    /// <summary>Reads an answer.</summary>
    public static TokenReply Read(HttpStatusCode status, string body)
    {
        if (status == HttpStatusCode.OK)
        {
            try
            {
                using var document = JsonDocument.Parse(body);
                var root = document.RootElement;
                string? Text(string name) =>
                    JsonText.Text(root, name) is { Length: > 0 } text && IsSendable(text) ? text : null;
                return new TokenReply(
                    status,
                    Text("token") ?? Text("access_token"),
                    root.TryGetProperty("expires_in", out var life) && life.ValueKind == JsonValueKind.Number
                        && life.TryGetInt32(out var seconds) ? TimeSpan.FromSeconds(seconds) : null,
                    "");
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException)
            {
                // reported by the caller
            }
        }

        return new TokenReply(status, null, null, body);
    }
}
