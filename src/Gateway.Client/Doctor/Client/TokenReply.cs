using System.Net;
using System.Text.Json;
using Gateway.Foundation.Text;

namespace Gateway.Client.Doctor.Client;

/// <summary>What a token endpoint answered.</summary>
/// <param name="Status">The status.</param>
/// <param name="Token">The token; <see langword="null"/> where there is none that a header can carry.</param>
/// <param name="Life">How long it says that it lives.</param>
/// <param name="Body">The body where there is no token; untrusted, and not cleaned.</param>
internal sealed record TokenReply(HttpStatusCode Status, string? Token, TimeSpan? Life, string Body)
{
    // What a header can carry; a token of anything else would be left out, and a proxy blamed for it.
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
                string? Text(string name) => JsonText.Text(root, name) is { Length: > 0 } text && IsSendable(text) ? text : null;
                return new TokenReply(
                    status,
                    Text("token") ?? Text("access_token"),
                    root.TryGetProperty("expires_in", out var life) && life.ValueKind == JsonValueKind.Number && life.TryGetInt32(out var seconds) ? TimeSpan.FromSeconds(seconds) : null,
                    "");
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException)
            {
                // said by whoever asked
            }
        }

        return new TokenReply(status, null, null, body);
    }
}
