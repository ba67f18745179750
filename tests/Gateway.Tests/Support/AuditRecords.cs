using System.Text.Json;
using Gateway.Server.Host.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Support;

/// <summary>Reads what a gateway recorded.</summary>
internal static class AuditRecords
{
    /// <summary>The file that a gateway records in.</summary>
    public static string FileOf(TestGateway gateway) =>
        gateway.Services.GetRequiredService<GatewayOptions>().AuditFilePath()!;

    /// <summary>Every line of a file so far.</summary>
    /// <remarks>A line without its end is being written.</remarks>
    public static IReadOnlyList<JsonElement> Read(string file) => !File.Exists(file) ? [] :
    [
        .. File.ReadAllText(file).Split('\n').SkipLast(1)
            .Select(static line => JsonDocument.Parse(line).RootElement),
    ];

    /// <summary>The first line that fits; waits for it, since it is written when the request has ended.</summary>
    public static async Task<JsonElement> FindAsync(TestGateway gateway, Func<JsonElement, bool> fits)
    {
        JsonElement? found = null;
        await Eventually.TrueAsync(() =>
        {
            foreach (var line in Read(FileOf(gateway)))
            {
                if (found is null && fits(line))
                {
                    found = line;
                }
            }

            return found is not null;
        });
        return found!.Value;
    }

    /// <summary>The line of the request that an answer belongs to.</summary>
    public static Task<JsonElement> OfAsync(TestGateway gateway, HttpResponseMessage answer)
    {
        var id = answer.Headers.GetValues("X-Request-Id").Single();
        return FindAsync(gateway, line => line.Text("requestId") == id && line.Text("phase") == "end");
    }

    /// <summary>A member's text, by its way: <c>rule.name</c>; <see langword="null"/> where it is missing.</summary>
    public static string? Text(this JsonElement line, string path)
    {
        foreach (var name in path.Split('.'))
        {
            if (line.ValueKind != JsonValueKind.Object || !line.TryGetProperty(name, out line))
            {
                return null;
            }
        }

        return line.ValueKind == JsonValueKind.String ? line.GetString() : line.GetRawText();
    }
}
