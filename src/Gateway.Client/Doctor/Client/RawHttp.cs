using System.Globalization;
using System.Text;

namespace Gateway.Client.Doctor.Client;

/// <summary>
/// One HTTP/1.1 exchange by hand, because a library's client would hide what matters here: an answer that comes before
/// the body is sent, or one that is not HTTP.
/// </summary>
internal static class RawHttp
{
    private const int LongestHead = 64 * 1024;

    private const int MostInterim = 8;

    /// <summary>
    /// Reads the head of the final answer; interim answers before it are skipped (RFC 9110, section 15.2).
    /// </summary>
    /// <exception cref="IOException">It is not an answer.</exception>
    public static async Task<RawAnswer> ReadHeadAsync(Stream stream, CancellationToken cancellationToken)
    {
        for (var i = 0; i < MostInterim; i++)
        {
            if (await ReadOneAsync(stream, cancellationToken) is { Status: < 100 or > 199 or 101 } answer)
            {
                return answer;
            }
        }

        throw new IOException("interim answers (1xx) do not end");
    }

    private static async Task<RawAnswer> ReadOneAsync(Stream stream, CancellationToken cancellationToken)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (true)
        {
            if (head.Count >= LongestHead)
            {
                throw new IOException("the head of the answer does not end");
            }

            if (await stream.ReadAsync(one, cancellationToken) == 0)
            {
                throw new IOException(
                    head.Count == 0
                        ? "the connection was closed without an answer"
                        : "the connection was closed in the middle of an answer");
            }

            head.Add(one[0]);
            if (head.Count >= 4 && head[^1] == '\n' && head[^2] == '\r' && head[^3] == '\n' && head[^4] == '\r')
            {
                break;
            }
        }

        var lines = Encoding.Latin1.GetString([.. head]).Split("\r\n");
        var parts = lines[0].Split(' ', 3);
        return parts.Length >= 2 && parts[0].StartsWith("HTTP/", StringComparison.Ordinal)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var status)
            ? new RawAnswer(status, lines[0], lines[1..])
            : throw new IOException($"the answer is not HTTP: \"{DoctorText.OneLine(lines[0])}\"");
    }
}

/// <summary>The head of an answer.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Line">The first line.</param>
/// <param name="Headers">The lines of the headers.</param>
internal sealed record RawAnswer(int Status, string Line, IReadOnlyList<string> Headers);
