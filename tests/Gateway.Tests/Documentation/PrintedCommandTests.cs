using System.CommandLine;
using System.Text.RegularExpressions;
using Gateway.Commands;
using Gateway.Tests.Support;

namespace Gateway.Tests.Documentation;

/// <summary>
/// The <c>gateway</c> commands that README, docs and the doctor's problems print: each names a command and options that
/// there are, and those for inside a container can be run as they stand.
/// </summary>
public sealed partial class PrintedCommandTests
{
    private static readonly string[] Pages =
        [.. MarkdownPage.All().Select(static page => page.Name), "src/Gateway.Client/Doctor/problems.yaml"];

    public static TheoryData<string> Files() => [.. Pages];

    [Theory]
    [MemberData(nameof(Files))]
    public void Commands_AsPrinted_AreThoseThatThereAre(string file) =>
        Assert.Empty(Find(file).Select(static words => (words, Problem: ProblemOf(words)))
            .Where(static one => one.Problem is not null)
            .Select(static one => $"{string.Join(' ', one.words)}: {one.Problem}"));

    [Fact]
    public void Commands_InsideAContainer_NeedNoConfig()
    {
        var lines = Pages.SelectMany(FindInContainers).ToList();

        Assert.True(lines.Count >= 5, string.Join('\n', lines.Select(static words => string.Join(' ', words))));
        Assert.Contains(lines, static words => words is ["token", "list"]); // docs/operations.md
        foreach (var words in lines)
        {
            Assert.DoesNotContain(words, static word => word is "--config" or "-c");
            Assert.Empty(GatewayCommand.Create().Parse(words).Errors);
        }
    }

    [Fact]
    public void ProblemOf_WhatIsNot_IsSaid()
    {
        Assert.Null(ProblemOf(["policy", "check", "FOLDER"]));
        Assert.Equal("no option --config", ProblemOf(["policy", "check", "--config", "gateway.yaml"]));
        Assert.Equal("no command polices", ProblemOf(["polices"]));
        Assert.Null(ProblemOf(["keys", "list", "--config", "x"])); // an option of all of them
    }

    // Each as its words behind "gateway"; all of README's and of the pages' code, nothing of running text.
    private static IEnumerable<string[]> Find(string file) => CodeOf(file)
        .SelectMany(static code => Gateway().Matches(code))
        .Select(static match => WordsOf(match.Groups["words"].Value));

    private static IEnumerable<string[]> FindInContainers(string file) => CodeOf(file)
        .Where(static code => InContainer().IsMatch(code))
        .SelectMany(static code => Gateway().Matches(code[InContainer().Match(code).Index..]).Take(1))
        .Select(static match => WordsOf(match.Groups["words"].Value));

    // Lines of shell blocks, and what stands between backquotes.
    private static IEnumerable<string> CodeOf(string file)
    {
        var (isShell, isSession) = (false, false);
        var text = File.ReadAllText(RepositoryRoot.PathOf(file)).Replace("\\\n", " ", StringComparison.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                isShell = line.Trim() is "```sh" or "```bash" or "```shell" or "```console";
                isSession = false;
            }
            else if (isShell)
            {
                // Where prompts are shown, the rest is what commands print.
                isSession |= line.StartsWith("$ ", StringComparison.Ordinal);
                if (!isSession || line.StartsWith("$ ", StringComparison.Ordinal))
                {
                    yield return line;
                }
            }
            else
            {
                foreach (Match span in Span().Matches(line))
                {
                    yield return span.Groups[1].Value;
                }

                if (line.Contains("# ", StringComparison.Ordinal)
                    && InContainer().Match(line) is { Success: true } comment)
                {
                    yield return line[comment.Index..]; // in a file's comment
                }
            }
        }
    }

    private static string[] WordsOf(string text)
    {
        var words = Word().Matches(text).Select(static word => word.Value).ToList();
        var end = words.FindIndex(static word =>
            word is "|" or "||" or "&&" or ">" or "&" or "…" || word.StartsWith('#'));
        words = end < 0 ? words : words[..end];
        return [.. words.Select(static word => word.Trim('\'', '"').TrimEnd(';', ')'))];
    }

    private static string? ProblemOf(string[] words)
    {
        Command command = GatewayCommand.Create();
        List<Option> options = [.. command.Options];
        var i = 0;
        for (; i < words.Length && command.Subcommands.Count > 0; i++)
        {
            if (command.Subcommands.FirstOrDefault(sub => sub.Name == words[i]) is not { } sub)
            {
                return Name().IsMatch(words[i]) ? $"no command {words[i]}" : null; // a placeholder: gateway COMMAND
            }

            options = [.. options.Where(static option => option.Recursive), .. sub.Options];
            command = sub;
        }

        return words[i..].Where(static word => Option().IsMatch(word)).Select(static word => word.Split('=')[0])
            .FirstOrDefault(word => !options.Any(option => option.Name == word || option.Aliases.Contains(word)))
            is { } unknown
                ? $"no option {unknown}"
                : null;
    }

    // The program, and not a path's part, an account's name (sudo -u gateway), nor the subject of a message.
    [GeneratedRegex(@"(?<=^|[ ;(]|\.state/)(?<!\bthe |-u )gateway (?!does )(?<words>[^;]*)")]
    private static partial Regex Gateway();

    [GeneratedRegex("(?:docker|kubectl) exec ")]
    private static partial Regex InContainer();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Span();

    [GeneratedRegex(@"'[^']*'|""[^""]*""|[^\s]+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\A[a-z][a-z-]*\z")]
    private static partial Regex Name();

    [GeneratedRegex(@"\A--?[a-z][a-z-]*(=.*)?\z")]
    private static partial Regex Option();
}
