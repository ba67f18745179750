using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Registry.Policies;

namespace Gateway.Commands;

/// <summary>
/// <c>gateway policy explain --policies FOLDER SUBJECT ACTION REPOSITORY[:TAG]</c>: what the policy decides, and why.
/// 0 if allowed, 1 if refused, 78 if the question or the files are invalid.
/// </summary>
internal static partial class PolicyExplainCommand
{
    public static Command Create()
    {
        var given = new Given();
        var end = DocumentEndOption.Create();
        var command = new Command("explain", "Explains what the policy decides, and why.")
        {
            given.Subject, given.Action, given.Repository, given.Policies, given.Groups, given.Method, given.Claims,
            given.Address, given.Time, given.Registry, given.Json, end,
        };
        command.SetAction(result => Explain(result, given, end));
        return command;
    }

    private static int Explain(ParseResult result, Given given, Option<bool> end)
    {
        var instant = TimeProvider.System.GetUtcNow();
        if (result.GetValue(given.Time) is { } text && !PolicyTestFile.TryParseTime(text, out instant))
        {
            return Refuse(result, $"time \"{text}\" is not a time such as 2025-01-01T12:00:00Z");
        }

        var pairs = (result.GetValue(given.Claims) ?? []).Select(static claim => claim.Split('=', 2)).ToList();
        if (pairs.Find(static pair => pair.Length < 2) is { } incomplete)
        {
            return Refuse(result, $"claim \"{incomplete[0]}\" is not NAME=VALUE");
        }

        var (name, tag) = Split(result.GetRequiredValue(given.Repository));
        var question = new PolicyQuestion
        {
            Subject = result.GetRequiredValue(given.Subject),
            Groups = result.GetValue(given.Groups) ?? [],
            Method = result.GetValue(given.Method),
            Claims = pairs.GroupBy(static pair => pair[0], StringComparer.Ordinal)
                .ToDictionary(static pair => pair.Key, static pair => pair.Last()[1], StringComparer.Ordinal),
            Address = result.GetRequiredValue(given.Address),
            Time = instant,
            Registry = result.GetRequiredValue(given.Registry),
            Action = result.GetRequiredValue(given.Action),
            Repository = name,
            Tag = tag,
        };
        return question.TryBuild(out var request, out var problem)
            ? Run(result, result.GetRequiredValue(given.Policies), end, in request, result.GetValue(given.Json))
            : Refuse(result, problem);
    }

    private static int Run(ParseResult result, string policies, Option<bool> end, in AccessRequest request, bool asJson)
    {
        PolicySet policy;
        try
        {
            policy = PolicyFolder.Load(policies, requiresEnd: DocumentEndOption.IsRequired(result, end, policies));
        }
        catch (ProblemException exception)
        {
            return PolicyCommand.Refuse(result, exception.Problems);
        }

        var explanation = policy.Explain(in request, int.MaxValue);
        var output = result.InvocationConfiguration.Output;
        if (asJson)
        {
            output.WriteLine(
                JsonSerializer.Serialize(
                    ExplanationDocument.Of(explanation), ExplanationJsonContext.Readable.ExplanationDocument));
        }
        else
        {
            Print(output, in request, explanation);
            PrintOverwrite(output, policy, in request, explanation);
        }

        return explanation.Decision.IsAllowed ? 0 : 1;
    }

    private static void Print(TextWriter output, in AccessRequest request, PolicyExplanation explanation)
    {
        output.WriteLine(explanation.Decision.IsAllowed ? "allowed" : "refused");
        output.WriteLine("because " + explanation.Reason);
        foreach (var match in explanation.Matches.Where(match => match.Rule != explanation.Decision.Rule))
        {
            output.WriteLine("also    " + match.Text);
        }

        foreach (var miss in explanation.NearMisses)
        {
            output.WriteLine("nearly  " + miss.Text);
        }

        if (request.Tag.IsUnknown)
        {
            output.WriteLine(
                "note    by digest, this removes every tag that points to it: the gateway finds those tags and "
                    + "checks each");
        }
    }

    // A question about a push of a tag has two parts: may it be pushed, and may it be pushed again?
    private static void PrintOverwrite(
        TextWriter output, PolicySet policy, in AccessRequest request, PolicyExplanation explanation)
    {
        if (!explanation.Decision.IsAllowed
            || (request.Actions & RepositoryActions.Push) == 0
            || request.Tag.Tag is null)
        {
            return;
        }

        var overwrite = policy.Explain(new AccessRequest
        {
            Subject = request.Subject,
            Registry = request.Registry,
            Repository = request.Repository,
            Actions = RepositoryActions.Overwrite,
            Tag = request.Tag,
            ClientAddress = request.ClientAddress,
            Time = request.Time,
        });
        if (!overwrite.Decision.IsAllowed)
        {
            output.WriteLine("note    not if the tag exists already: " + overwrite.Reason);
        }
    }

    private static (string Repository, string? Tag) Split(string text)
    {
        // Content by digest has no tag; the part before the "@" decides.
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at >= 0)
        {
            return (text[..at], null);
        }

        var colon = text.LastIndexOf(':');
        return colon < 0 ? (text, null) : (text[..colon], text[(colon + 1)..]);
    }

    private static int Refuse(ParseResult result, string problem)
    {
        result.InvocationConfiguration.Error.WriteLine(problem);
        return ProblemReport.ConfigurationProblem;
    }

    internal sealed record ExplanationDocument(
        bool Allowed,
        RuleIdentity? Rule,
        IEnumerable<string> Missing,
        string Reason,
        string CallerReason,
        IEnumerable<MatchDocument> Matches,
        IEnumerable<MissDocument> NearMisses)
    {
        public static ExplanationDocument Of(PolicyExplanation explanation) => new(
            explanation.Decision.IsAllowed,
            explanation.Decision.Rule,
            ActionNames.Of(explanation.Decision.Missing),
            explanation.Reason,
            explanation.CallerReason,
            explanation.Matches.Select(static match => new MatchDocument(
                match.Rule,
                match.Effect == RuleEffect.Deny ? "deny" : "allow",
                ActionNames.Of(match.Actions), match.Text)),
            explanation.NearMisses.Select(static miss => new MissDocument(miss.Rule, miss.Text)));
    }

    internal sealed record MatchDocument(RuleIdentity Rule, string Effect, IEnumerable<string> Actions, string Text);

    internal sealed record MissDocument(RuleIdentity Rule, string Text);

    [JsonSerializable(typeof(ExplanationDocument))]
    private sealed partial class ExplanationJsonContext : JsonSerializerContext
    {
        // A terminal reads this, not a browser: quotes need not be \u0022.
        public static readonly ExplanationJsonContext Readable = new(new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            WriteIndented = true,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        });
    }

    /// <summary>What is given on the command line.</summary>
    private sealed class Given
    {
        public Argument<string> Subject { get; } = new("subject")
        {
            Description = "user:NAME, robot:NAME, workload:NAME or anonymous.",
        };

        public Argument<string> Action { get; } = new("action") { Description = "pull, push, overwrite or delete." };

        public Argument<string> Repository { get; } = new("repository")
        {
            Description = "REPOSITORY, REPOSITORY:TAG or REPOSITORY@DIGEST.",
        };

        public Option<string> Policies { get; } = new("--policies")
        {
            Description = "The folder with the policy files.",
            DefaultValueFactory = static _ => "config/policies",
        };

        public Option<string[]> Groups { get; } = new("--group")
        {
            Description = "A group of the subject, as its source names it; may be given several times.",
        };

        public Option<string?> Method { get; } = new("--method")
        {
            Description = "How the subject signed in: htpasswd, ldap:corp, issuer:github.",
        };

        public Option<string[]> Claims { get; } = new("--claim")
        {
            Description = "A claim as NAME=VALUE; may be given several times.",
        };

        public Option<string> Address { get; } = new("--address")
        {
            Description = "The client's address.",
            DefaultValueFactory = static _ => "127.0.0.1",
        };

        public Option<string?> Time { get; } = new("--time")
        {
            Description = "The time of the request, such as 2025-01-01T12:00:00Z. Default: now.",
        };

        public Option<string> Registry { get; } = new("--registry")
        {
            Description = "The registry's name.",
            DefaultValueFactory = static _ => PolicyQuestion.DefaultRegistry,
        };

        public Option<bool> Json { get; } = new("--json") { Description = "Prints JSON." };
    }
}
