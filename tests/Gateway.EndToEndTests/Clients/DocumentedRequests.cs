using System.Text.RegularExpressions;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// The lists of requests in docs/clients.md, which are what the tests expect. Each is a code block whose opening line
/// says whose it is: <c>```text podman buildah: push</c>.
/// </summary>
internal static partial class DocumentedRequests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(TestPaths.Repository, "docs", "clients.md"));

    /// <summary>
    /// The requests of a client for an operation, one a line; <see langword="null"/> where the page has only another
    /// version of the client, <c>crane-0.20</c> for <c>crane-0.21</c>, and empty where it has none.
    /// </summary>
    public static string? Of(string client, string operation)
    {
        var blocks = Blocks().Matches(Page).Where(block => block.Groups["operation"].Value == operation).ToList();
        var exact = blocks.Where(block => ClientsOf(block).Contains(client)).ToList();
        if (exact.Count == 0 && client.LastIndexOf('-') is var end and > 0
            && blocks.Any(
                block => ClientsOf(block).Any(
                    other => other.StartsWith(client[..(end + 1)], StringComparison.Ordinal))))
        {
            return null;
        }

        return exact.Count == 0 ? "" : Assert.Single(exact).Groups["requests"].Value;
    }

    private static string[] ClientsOf(Match block) => block.Groups["clients"].Value.Split(' ');

    [GeneratedRegex(
        "^```text (?<clients>[a-z0-9. -]+): (?<operation>[a-z ]+)\\n(?<requests>.+?)\\n```$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
