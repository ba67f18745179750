using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Server.Registry.Listing;

/// <summary>Writes lists as the registry does.</summary>
internal static class PageWriter
{
    // Quotes and slashes stay readable in a terminal. This is JSON and is never embedded in a page (nosniff).
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a page of names, with the link to the next one.</summary>
    /// <param name="context">The request to answer.</param>
    /// <param name="name">The repository's name, for a list of tags; <see langword="null"/> for the catalog.</param>
    /// <param name="member">The array's name.</param>
    /// <param name="path">The path that the link repeats; clients use nothing else of it.</param>
    /// <param name="page">The page.</param>
    public static Task WriteNamesAsync(HttpContext context, string? name, string member, string path, NamePage page)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer, Relaxed);
        json.WriteStartObject();
        if (name is not null)
        {
            json.WriteString("name", name);
        }

        json.WriteStartArray(member);
        foreach (var entry in page.Names)
        {
            json.WriteStringValue(entry);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        // The cursor is the last name shown, never one that was filtered out: it would tell that name.
        var link = page.HasMore
            ? FormattableString.Invariant(
                $"<{path}?last={Uri.EscapeDataString(page.Names[^1])}&n={page.Size}>; rel=\"next\"")
            : null;
        return WriteAsync(context, buffer.WrittenMemory, link);
    }

    /// <summary>Writes a JSON body.</summary>
    public static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> body, string? link)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        if (link is not null)
        {
            context.Response.Headers.Link = link;
        }

        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}
