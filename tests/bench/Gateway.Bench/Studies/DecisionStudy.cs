using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Gateway.Bench.Machine;
using Gateway.Bench.Report;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Bench.Studies;

/// <summary>In this process: one decision of a policy, and one signature of an access token, for comparison.</summary>
internal sealed class DecisionStudy(Lab lab) : IStudy
{
    private const int Questions = 1_024;
    private const int WarmUp = 100_000;

    /// <inheritdoc/>
    public string Key => "decision";

    private bool IsTiny => lab.Sizes.IsTiny;

    /// <inheritdoc/>
    public async Task RunAsync(Results results, CancellationToken cancellationToken)
    {
        foreach (var rules in lab.Sizes.StartRules)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{rules}-rules");
            var policy = PolicySet.Compile(new PolicyDefinition(
                [.. Enumerable.Range(0, rules).Select(Rule)],
                [.. Enumerable.Range(0, rules).Select(static i => new PolicyGroup(
                    $"group-{i}", [new SubjectSelector(SubjectSelectorKind.User, $"user-{i}")]))]));
            var random = new Random(1);
            var questions = Enumerable.Range(0, Questions).Select(_ => Ask(random.Next(rules))).ToArray();
            await MeasureAsync(
                results, name, "decision", 1e9, "ns", 1_000_000,
                i =>
                {
                    if (!policy.Evaluate(in questions[i % Questions]).IsAllowed)
                    {
                        throw new BenchException("the policy refused what it allows.");
                    }
                });
            cancellationToken.ThrowIfCancellationRequested();
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (data, signature) = (new byte[512], new byte[64]);
        await MeasureAsync(
            results, "es256", "signature", 1e6, "us", 20_000,
            _ => key.TrySignData(data, signature, HashAlgorithmName.SHA256, out var _));
    }

    private async Task MeasureAsync(
        Results results, string name, string figure, double factor, string unit, int calls, Action<int> call)
    {
        Repeat(IsTiny ? calls / 1_000 : Math.Min(WarmUp, calls), call);
        await Task.Delay(TimeSpan.FromMilliseconds(IsTiny ? 1 : 500)); // for the compiler, which works beside this
        for (var repeat = 0; repeat <= lab.Sizes.Repeats; repeat++)
        {
            var (count, before) = (IsTiny ? calls / 1_000 : calls, ProcessorTime.OfThisThread());
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            Repeat(count, call);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            var seconds = ProcessorTime.OfThisThread() - before;
            if (repeat > 0)
            {
                results.Add(Key, name, figure, unit, seconds / count * factor);
                results.Add(Key, name, figure + "-allocated", "B", (double)allocated / count);
            }
        }
    }

    private static void Repeat(int count, Action<int> call)
    {
        for (var i = 0; i < count; i++)
        {
            call(i);
        }
    }

    private static string Repository(int i) =>
        string.Create(CultureInfo.InvariantCulture, $"area-{i % 100}/repository-{i}");

    private static PolicyRule Rule(int i) => new()
    {
        Identity = new RuleIdentity($"rule {i}", "rules.yaml", i + 1),
        Effect = RuleEffect.Allow,
        Actions = RepositoryActions.Pull | RepositoryActions.Push,
        To = [new SubjectSelector(SubjectSelectorKind.Group, $"group-{i}")],
        On = [RepositoryPattern.Parse(Repository(i))],
    };

    private static AccessRequest Ask(int i) => new()
    {
        Subject = new Subject { Kind = SubjectKind.User, Name = $"user-{i}", Method = "htpasswd" },
        Registry = "main",
        Repository = RepositoryName.Parse(Repository(i)),
        Actions = RepositoryActions.Pull,
        Tag = TagScope.None,
        ClientAddress = IPAddress.Loopback,
        Time = DateTimeOffset.UnixEpoch,
    };
}
