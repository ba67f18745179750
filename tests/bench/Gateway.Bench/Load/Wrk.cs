using System.Globalization;
using System.Text.RegularExpressions;
using Gateway.Bench.Machine;

namespace Gateway.Bench.Load;

/// <summary>Runs wrk: one request again and again on sixteen kept connections.</summary>
internal static partial class Wrk
{
    /// <summary>How many connections it keeps.</summary>
    public const int Connections = 16;

    /// <summary>Sends a GET for some seconds.</summary>
    /// <returns>How many were answered.</returns>
    /// <exception cref="BenchException">An answer was not 2xx or 3xx, or a connection broke.</exception>
    public static async Task<long> RunAsync(Uri url, IEnumerable<string> headers, int seconds)
    {
        var output = await Command.RunAsync([
            "wrk", "--threads", "2", "--connections", Connections.ToString(CultureInfo.InvariantCulture),
            "--duration", string.Create(CultureInfo.InvariantCulture, $"{seconds}s"), "--timeout", "30s",
            .. headers.SelectMany(static header => new[] { "--header", header }),
            url.ToString(),
        ]);
        var count = Count().Match(output);
        if (!count.Success || output.Contains("Non-2xx", StringComparison.Ordinal)
            || output.Contains("Socket errors", StringComparison.Ordinal))
        {
            throw new BenchException($"wrk was not answered well by {url}:\n{output}");
        }

        return long.Parse(count.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"^\s*(\d+) requests in ", RegexOptions.Multiline)]
    private static partial Regex Count();
}
