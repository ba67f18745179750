using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Benchmarks;

/// <summary>What a decision costs at 10, 1,000 and 100,000 rules. The ratios between the rows are the point.</summary>
[MemoryDiagnoser]
[MinColumn] // the figure that a busy machine spoils least
public class PolicyBenchmarks
{
    // Asked in turn, so that a large policy does not look small because one question keeps hitting the same cache
    // lines.
    private const int Questions = 1_024;

    private PolicySet _policy = PolicySet.Empty;
    private AccessRequest[] _allowed = [];
    private AccessRequest[] _refused = [];
    private int _next;

    public enum Shape
    {
        /// <summary>A rule for each repository's own group.</summary>
        Repositories,

        /// <summary>A rule for each user, all on the same pattern.</summary>
        Users,

        /// <summary>A rule for each team, with wildcards in two segments.</summary>
        Wildcards,

        /// <summary>Allows and denies on every repository, told apart by tags.</summary>
        Tags,

        /// <summary>
        /// A rule for each source repository, all for one issuer on one pattern, told apart by a claim.
        /// </summary>
        Claims,
    }

    [Params(10, 1_000, 100_000)]
    public int Rules { get; set; }

    [ParamsAllValues]
    public Shape Of { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _policy = PolicySet.Compile(new PolicyDefinition(
            [.. Enumerable.Range(0, Rules).Select(Rule)],
            [.. Enumerable.Range(0, Rules).Select(static i => new PolicyGroup(
                $"group-{i}", [new SubjectSelector(SubjectSelectorKind.User, $"user-{i}")]))]));
        var random = new Random(1);
        var asked = Enumerable.Range(0, Questions).Select(_ => random.Next(Rules / 2) * 2).ToArray();
        _allowed = [.. asked.Select(i => Ask(Subject(i), Repository(i), i))];
        _refused = [.. asked.Select(i => Ask(Subject(i), Elsewhere(i), i + 1))];
        if (_allowed.Any(question => !_policy.Evaluate(in question).IsAllowed)
            || _refused.Any(question => _policy.Evaluate(in question).IsAllowed))
        {
            throw new InvalidOperationException("the benchmark asks the wrong questions");
        }
    }

    [Benchmark]
    public AccessDecision Allowed() => _policy.Evaluate(in _allowed[_next++ % Questions]);

    [Benchmark]
    public AccessDecision Refused() => _policy.Evaluate(in _refused[_next++ % Questions]);

    private string Repository(int i) => Of switch
    {
        Shape.Repositories => $"area-{i % 100}/repository-{i}",
        Shape.Wildcards => $"team-{i}-web/services/app",
        _ => "shared/services/app",
    };

    // As near to the rules as a refusal can be: the neighbour's repository, or a tag that another rule denies.
    private string Elsewhere(int i) => Of is Shape.Users or Shape.Claims ? "shared" : Repository(i + 1);

    private Subject Subject(int i) => Of == Shape.Claims
        ? new Subject
        {
            Kind = SubjectKind.Workload,
            Name = "workload",
            Method = "issuer:github",
            Claims = new Dictionary<string, string> { ["repository"] = $"acme/app-{i}" }.ToFrozenDictionary(),
        }
        : new Subject { Kind = SubjectKind.User, Name = $"user-{i}", Method = "htpasswd" };

    private PolicyRule Rule(int i) => Of switch
    {
        Shape.Repositories => Allow(i, $"group:group-{i}", $"area-{i % 100}/repository-{i}"),
        Shape.Users => Allow(i, $"user:user-{i}", "shared/**"),
        Shape.Wildcards => Allow(i, $"group:group-{i}", $"team-{i}-*/**"),
        Shape.Claims => Allow(i, "issuer:github", "shared/**") with
        {
            When = new RuleConditions { Claims = [new ClaimCondition("repository", [new Glob($"acme/app-{i}")])] },
        },
        _ => Allow(i, "authenticated", "**") with
        {
            Effect = i % 2 == 0 ? RuleEffect.Allow : RuleEffect.Deny,
            Tags = [new Glob($"t{i}-*")],
        },
    };

    private static PolicyRule Allow(int i, string to, string on) => new()
    {
        Identity = new RuleIdentity($"rule {i}", "rules.yaml", i + 1),
        Effect = RuleEffect.Allow,
        Actions = RepositoryActions.Pull | RepositoryActions.Push,
        To = SubjectSelector.TryParse(to, out var selector)
            ? ImmutableArray.Create(selector)
            : throw new FormatException(to),
        On = [RepositoryPattern.Parse(on)],
    };

    private static AccessRequest Ask(Subject subject, string repository, int i) => new()
    {
        Subject = subject,
        Registry = "main",
        Repository = RepositoryName.Parse(repository),
        Actions = RepositoryActions.Pull | RepositoryActions.Push,
        Tag = Tag.TryParse($"t{i}-1.4", out var tag) ? TagScope.Of(tag) : TagScope.None,
        ClientAddress = IPAddress.Loopback,
        Time = DateTimeOffset.UnixEpoch,
    };
}
