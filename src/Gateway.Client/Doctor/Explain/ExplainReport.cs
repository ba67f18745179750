using System.Text.Json.Serialization;

namespace Gateway.Client.Doctor.Explain;

/// <summary>The answer of <c>gateway doctor explain --json</c>.</summary>
/// <param name="Known">Whether anything in the text is known.</param>
/// <param name="Host">The registry that the text names, if any.</param>
/// <param name="Repository">The repository that the text names, if any.</param>
/// <param name="Problems">What it most likely means, best first.</param>
/// <param name="Suggestion">What to run if nothing is known.</param>
internal sealed record ExplainReport(
    bool Known,
    string? Host,
    string? Repository,
    IReadOnlyList<ExplainedProblem> Problems,
    string? Suggestion)
{
    private const string Doctor = "gateway doctor --client https://HOST";

    /// <summary>Explains a text.</summary>
    public static ExplainReport Create(ErrorExplainer explainer, string text)
    {
        var answers = explainer.Explain(text);
        var registry = MentionedRegistry.Find(text);
        return new ExplainReport(
            answers.Count > 0,
            registry.Host,
            registry.Repository,
            [.. answers.Select(answer => ExplainedProblem.Create(answer, registry))],
            answers.Count > 0 ? null : registry.Fill(Doctor));
    }
}

/// <summary>One thing that the text may mean.</summary>
/// <param name="Id">The problem's name.</param>
/// <param name="Problem">What it is.</param>
/// <param name="Causes">Why it happens, the most likely first.</param>
/// <param name="Next">What to do, in this order.</param>
/// <param name="Checks">The doctor's checks that find it, with their pages.</param>
/// <param name="Client">The client whose message was recognised.</param>
/// <param name="Message">The message, with <c>{}</c> for variable parts.</param>
/// <param name="CutOff">Whether the text ends within the message, so that it may be another message.</param>
internal sealed record ExplainedProblem(
    string Id,
    string Problem,
    IReadOnlyList<string> Causes,
    IReadOnlyList<string> Next,
    IReadOnlyList<ExplainedCheck> Checks,
    string Client,
    string Message,
    bool CutOff)
{
    /// <summary>Fills in the registry and the repository.</summary>
    public static ExplainedProblem Create(PatternMatch match, MentionedRegistry registry) => new(
        match.Problem.Id,
        match.Problem.Problem,
        [.. match.Problem.Causes.Select(registry.Fill)],
        [.. match.Problem.Next.Select(registry.Fill)],
        [.. match.Problem.Checks.Select(static id => new ExplainedCheck(id, $"docs/problems/{id}.md"))],
        match.Pattern.Client,
        match.Pattern.Template.Text,
        !match.IsComplete);
}

/// <summary>A check of the doctor.</summary>
/// <param name="Id">Its id, such as <c>TLS004</c>.</param>
/// <param name="Page">The page about it.</param>
internal sealed record ExplainedCheck(string Id, string Page);

/// <summary>Their JSON form.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ExplainReport))]
internal sealed partial class ExplainJsonContext : JsonSerializerContext;
