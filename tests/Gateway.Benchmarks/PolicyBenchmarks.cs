using System.Collections.Immutable;
using System.Net;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Benchmarks;

/// <summary>What a decision costs at 10, 1,000 and 100,000 rules. The ratios between the rows are the point.</summary>
[MemoryDiagnoser]
public class PolicyBenchmarks
{
    private PolicySet _policy = PolicySet.Empty;
    private AccessRequest _allowed;
    private AccessRequest _refused;

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

        /// <summary>A rule for each source repository, all for one issuer on one pattern, told apart by a claim.</summary>
        Claims,
    }

    [Params(10, 1_000, 100_000)]
    public int Rules { get; set; }

    [ParamsAllValues]
    public Shape Of { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var middle = Rules / 2;
        _policy = PolicySet.Compile(new PolicyDefinition(
            [.. Enumerable.Range(0, Rules).Select(Rule)],
            [.. Enumerable.Range(0, Rules).Select(static i => new PolicyGroup(
                $"group-{i}", [new SubjectSelector(SubjectSelectorKind.User, $"user-{i}")]))]));
        var subject = Of == Shape.Claims
            ? new Subject
            {
                Kind = SubjectKind.Workload,
                Name = "workload",
                Method = "issuer:github",
                Claims = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(
                    new Dictionary<string, string> { ["repository"] = $"acme/app-{middle}" }),
            }
            : new Subject { Kind = SubjectKind.User, Name = $"user-{middle}", Method = "htpasswd" };
        var repository = Of switch
        {
            Shape.Repositories => $"area-{middle % 100}/repository-{middle}",
            Shape.Wildcards => $"team-{middle}-web/services/app",
            _ => "shared/services/app",
        };
        _ = Tag.TryParse($"t{middle}-1.4", out var tag);
        _allowed = Ask(subject, repository, tag!);
        _refused = Ask(subject with { Name = "nobody", Method = "none" }, "elsewhere/app", tag!);
        if (!_policy.Evaluate(in _allowed).IsAllowed || _policy.Evaluate(in _refused).IsAllowed)
        {
            throw new InvalidOperationException("the benchmark asks the wrong questions");
        }
    }

    [Benchmark]
    public AccessDecision Allowed() => _policy.Evaluate(in _allowed);

    [Benchmark]
    public AccessDecision Refused() => _policy.Evaluate(in _refused);

    private PolicyRule Rule(int i) => Of switch
    {
        Shape.Repositories => Allow(i, $"group:group-{i}", $"area-{i % 100}/repository-{i}"),
        Shape.Users => Allow(i, $"user:user-{i}", "shared/**"),
        Shape.Wildcards => Allow(i, $"group:group-{i}", $"team-{i}-*/**"),
        Shape.Claims => Allow(i, "issuer:github", "shared/**") with
        {
            When = new RuleConditions { Claims = [new ClaimCondition("repository", [new Glob($"acme/app-{i}")])] },
        },
        _ when i % 2 == (Rules / 2 % 2) => Allow(i, "user:" + $"user-{Rules / 2}", "**") with { Tags = [new Glob($"t{i}-*")] },
        _ => Allow(i, "everyone", "**") with { Effect = RuleEffect.Deny, Tags = [new Glob($"t{i}-*")] },
    };

    private static PolicyRule Allow(int i, string to, string on) => new()
    {
        Identity = new RuleIdentity($"rule {i}", "rules.yaml", i + 1),
        Effect = RuleEffect.Allow,
        Actions = RepositoryActions.Pull | RepositoryActions.Push,
        To = SubjectSelector.TryParse(to, out var selector) ? ImmutableArray.Create(selector) : throw new FormatException(to),
        On = [RepositoryPattern.Parse(on)],
    };

    private static AccessRequest Ask(Subject subject, string repository, Tag tag) => new()
    {
        Subject = subject,
        Registry = "main",
        Repository = RepositoryName.Parse(repository),
        Actions = RepositoryActions.Pull | RepositoryActions.Push,
        Tag = TagScope.Of(tag),
        ClientAddress = IPAddress.Loopback,
        Time = DateTimeOffset.UnixEpoch,
    };
}
