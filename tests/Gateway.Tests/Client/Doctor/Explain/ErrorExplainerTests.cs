using System.Text;
using Gateway.Client.Doctor.Explain;

namespace Gateway.Tests.Client.Doctor.Explain;

public class ErrorExplainerTests
{
    private static readonly IReadOnlyList<(string Title, string Text)> Corpus = MessageFile.Read("messages.txt");

    public static TheoryData<string> Distortions =>
    [
        "none", "80 columns", "60 columns", "60 columns between words", "80 columns in a frame", "names", "escaped",
        "escaped twice", "upper case", "curly quotes", "no quotes", "colours", "colours in JSON", "logrus", "kubelet",
        "journal", "buildkit", "HTML", "JSON", "tail",
    ];

    [Theory]
    [MemberData(nameof(Distortions))]
    public void Explain_RealMessage_NamesItsProblemFirst(string distortion)
    {
        var wrong = new StringBuilder();
        foreach (var (expected, text) in Corpus)
        {
            var answers = ErrorExplainer.Default.Explain(Distort(text, distortion));
            var first = answers.Count == 0 ? "nothing" : answers[0].Problem.Id;
            if (first != expected)
            {
                wrong.AppendLine($"{expected} expected, {first} found: {text}");
            }

            Assert.InRange(answers.Count, 0, ErrorExplainer.MostAnswers);
        }

        Assert.True(wrong.Length == 0, wrong.ToString());
    }

    [Fact]
    public void FindAll_EveryPattern_StandsInARealMessage()
    {
        var found = Corpus.SelectMany(static message => ErrorExplainer.Default.FindAll(message.Text))
            .Where(static match => match.IsComplete)
            .Select(static match => match.Pattern)
            .ToHashSet();

        var missing = ErrorExplainer.Default.Problems.SelectMany(static problem => problem.Patterns)
            .Where(pattern => !found.Contains(pattern))
            .Select(static pattern => pattern.Template.Text);
        Assert.Empty(missing);
        Assert.True(Corpus.Count >= 90);
    }

    [Fact]
    public void Explain_TextThatIsNoMessageOfAClient_FindsNothing()
    {
        foreach (var (title, text) in MessageFile.Read("negatives.txt"))
        {
            var found = ErrorExplainer.Default.Explain(text).Select(
                static match => $"{match.Problem.Id}: {match.Pattern.Template}");
            Assert.True(!found.Any(), $"{title}: {string.Join("; ", found)}");
        }
    }

    [Theory]
    [InlineData(
        "Get \"https://registry.example.com/v2/\": tls: failed to verify certificate: x509: certificate signed by unkn",
        "unknown-authority")]
    [InlineData(
        "Get \"https://registry.example.com/v2/\": x509: certificate has expired or is not yet val…",
        "certificate-expired")]
    [InlineData("x509: certificate is valid for *.internal.example.com, regis...", "wrong-name")]
    [InlineData("unauthorized: authentication failed: the user name or passw", "wrong-password")]
    public void Explain_TextCutOff_IsStillKnownAndSaysSo(string text, string expected)
    {
        var answer = ErrorExplainer.Default.Explain(text)[0];

        Assert.Equal(expected, answer.Problem.Id);
        Assert.False(answer.IsComplete);
    }

    [Fact]
    public void Explain_SeveralMessages_NamesTheCauseBeforeTheSymptom()
    {
        const string log = """
            Warning  Failed  31s  kubelet  Error: ErrImagePull
            Warning  Failed  20s  kubelet  unexpected status from HEAD request to https://registry.example.com/v2/a/manifests/1: 401 Unauthorized
            Warning  Failed  10s  kubelet  Get "https://registry.example.com/v2/": x509: certificate has expired or is not yet valid: current time 2023-07-31T06:11:10Z is after 2023-07-28T23:59:59Z
            """;

        var answers = ErrorExplainer.Default.Explain(log).Select(static match => match.Problem.Id);

        Assert.Equal(["certificate-expired", "unauthorized"], answers);
    }

    [Fact]
    public void Explain_MoreThanThreeProblems_NamesThree()
    {
        var log = string.Join('\n', Corpus.Take(40).Select(static message => message.Text));

        Assert.Equal(ErrorExplainer.MostAnswers, ErrorExplainer.Default.Explain(log).Count);
    }

    [Fact]
    public void Explain_RandomText_NeverThrows()
    {
        var random = new Random(7);
        var parts = Corpus.Select(static message => message.Text)
            .Append("\e[")
            .Append("\\u00")
            .Append("\\")
            .Append("&#3").ToArray();
        for (var round = 0; round < 300; round++)
        {
            var text = new StringBuilder();
            for (var count = random.Next(4); count >= 0; count--)
            {
                var part = parts[random.Next(parts.Length)];
                var from = random.Next(part.Length);
                text.Append(part, from, random.Next(part.Length - from + 1)).Append((char)random.Next(0x300));
            }

            _ = ExplainReport.Create(ErrorExplainer.Default, text.ToString());
        }
    }

    [Fact]
    public void Explain_HugeText_LooksAtItsEnd()
    {
        var text = string.Concat(Enumerable.Repeat("dial tcp x509: unauthorized: denied: manifest ", 40_000))
            + "Get \"https://registry.example.com/v2/\": x509: certificate signed by unknown authority";

        Assert.Equal("unknown-authority", ErrorExplainer.Default.Explain(text)[0].Problem.Id);
    }

    private static string Distort(string text, string how) => how switch
    {
        "80 columns" => Wrap(text, 80, ""),
        "60 columns" => Wrap(text, 60, ""),
        "60 columns between words" => WrapWords(text, 60),
        "80 columns in a frame" => Wrap(text, 80, "│ "),
        "names" => text.Replace("registry.example.com", "hub.k8s.corp.example.org:5443", StringComparison.Ordinal)
            .Replace("team", "platform-group", StringComparison.Ordinal)
            .Replace("sha256:", "sha256:0123456789abcdef", StringComparison.Ordinal),
        "escaped" => Escape(text),
        "escaped twice" => Escape(Escape(text)),
        "upper case" =>
            text.ToUpperInvariant()
                .Replace("\\N", "\\n", StringComparison.Ordinal)
                .Replace("\\R", "\\r", StringComparison.Ordinal),
        "curly quotes" => text.Replace('"', '“').Replace('\'', '’'),
        "no quotes" => text.Replace("\"", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal),
        "colours" => "\e[31m" + text.Replace(": ", "\e[0m: \e[1;31m", StringComparison.Ordinal) + "\e[0m",
        "colours in JSON" => text.Replace(": ", "\\u001b[0m: \\u001b[1;31m", StringComparison.Ordinal),
        "logrus" => $"time=\"2024-05-02T10:11:12Z\" level=error msg=\"{Escape(text)}\" module=test",
        "kubelet" =>
            "E0801 10:14:21.037403    6275 pod_workers.go:951] \"Error syncing pod, skipping\" err=\"failed to "
            + $"\\\"StartContainer\\\" for \\\"sample\\\" with ErrImagePull: \\\"{Escape(Escape(text))}\\\"\" "
            + "pod=\"default/sample\"",
        "journal" =>
            string.Join(
                '\n',
                Wrap(text, 100, "")
                    .Split('\n')
                    .Select(static line => "Nov 28 14:52:11 node-1 dockerd[18273]: " + line)),
        "buildkit" => string.Join('\n', Wrap(text, 100, "").Split('\n').Select(static line => "#21 492.6 " + line)),
        "HTML" =>
            text.Replace("\"", "&quot;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal),
        "JSON" => $"{{\"log\":\"{Escape(text)}\\n\",\"stream\":\"stderr\",\"time\":\"2024-05-02T10:11:12Z\"}}",
        "tail" => text + "\nSee 'docker run --help'.\n[10:11:12] Process exited with code 1.",
        _ => text,
    };

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Wrap(string text, int width, string prefix) =>
        string.Join(
            '\n', text.Split('\n').SelectMany(line => line.Chunk(width)).Select(chunk => prefix + new string(chunk)));

    private static string WrapWords(string text, int width)
    {
        var result = new StringBuilder();
        var length = 0;
        foreach (var word in text.Split(' '))
        {
            length += word.Length + 1;
            result.Append(length > width ? "\n    " : " ").Append(word);
            length = length > width ? word.Length : length;
        }

        return result.ToString();
    }
}
