using System.Text.RegularExpressions;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// The lists of requests in docs/clients.md, which are what the tests expect. Each is a code block whose opening line says
/// whose it is: <c>```text podman buildah: push</c>.
/// </summary>
internal static partial class DocumentedRequests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(TestPaths.Repository, "docs", "clients.md"));

    /// <summary>The requests of a client for an operation, one a line.</summary>
    public static string Of(string client, string operation) => Assert.Single(
        Blocks().Matches(Page),
        block => block.Groups["operation"].Value == operation && block.Groups["clients"].Value.Split(' ').Contains(client))
        .Groups["requests"].Value;

    [GeneratedRegex(
        "^```text (?<clients>[a-z ]+): (?<operation>[a-z ]+)\\n(?<requests>.+?)\\n```$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
