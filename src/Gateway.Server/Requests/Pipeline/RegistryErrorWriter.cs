using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// The one writer of refusals: the error body of the OCI distribution specification, and nothing else.
/// </summary>
internal static class RegistryErrorWriter
{
    // Quotes and slashes stay readable in a terminal. This is JSON and is never embedded in a page (nosniff).
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes an error as the answer. Headers of a half-prepared answer are dropped.</summary>
    public static async Task WriteErrorAsync(this HttpContext context, RegistryError error)
    {
        // Kestrel reads an unread body on for some seconds, so that the client sees this answer and not a reset; past
        // the size limit it would hang up at once instead.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (context.Request.Headers.Expect.Count > 0)
        {
            // A client that waits for "100 Continue" may leave its body out after this answer, or send it all the same
            // (RFC 9110, section 10.1.1): what comes next on the connection is a body to some and a request to others.
            context.CloseAfterwards();
        }

        var gateway = GatewayContext.Of(context);
        gateway.Error = error;
        var response = context.Response;
        var challenge = response.Headers.WWWAuthenticate;
        var retryAfter = response.Headers.RetryAfter;
        response.Clear();
        response.Headers.WWWAuthenticate = challenge;
        response.Headers.RetryAfter = error.Wait is { } wait
            ? RetryAfter.For(wait).ToString(CultureInfo.InvariantCulture)
            : retryAfter;
        response.StatusCode = error.StatusCode;
        if (error.Allow is not null)
        {
            response.Headers.Allow = error.Allow;
        }

        if (error.ContentRange is not null)
        {
            response.Headers.ContentRange = error.ContentRange;
        }

        var body = Serialize(error, gateway.RequestId);
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    internal static ReadOnlyMemory<byte> Serialize(RegistryError error, string requestId)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer, Relaxed);
        json.WriteStartObject();
        json.WriteStartArray("errors");
        json.WriteStartObject();
        json.WriteString("code", error.Code);
        json.WriteString("message", error.Message);
        json.WriteStartObject("detail");
        foreach (var (name, value) in error.Detail ?? new Dictionary<string, string>())
        {
            json.WriteString(name, value);
        }

        if (error.Wait is { } wait)
        {
            json.WriteNumber("retryAfterSeconds", RetryAfter.WholeSeconds(wait));
        }

        json.WriteString("requestId", requestId);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
        if (error.OAuthCode is not null)
        {
            json.WriteString("error", error.OAuthCode);
            json.WriteString("error_description", error.Message.Replace('"', '\'')); // no quotes: RFC 6749, section 5.2
            if (error.StatusCode == StatusCodes.Status401Unauthorized)
            {
                // From docker's engine 28 on this alone makes a refused sign-in final. With the errors above it goes on
                // to http:// where the host is a loopback name, and prints what that came to.
                json.WriteString("details", error.Message);
            }
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}
