using System.Globalization;
using System.Net;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Rotation;
using Gateway.Server.Registry.Policies;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Registry.Policies;

/// <summary>A reader that knows the folder says the same as one that knows nothing.</summary>
public sealed class PolicyReaderTests
{
    private const int Many = 100_000;

    private static readonly string[] Registries = ["main"];

    [Fact]
    public void Read_RuleRemovedAmongAHundredThousand_IsNoLongerInForce()
    {
        using var files = new PolicyFiles();
        const int perFile = Many / 5;
        for (var file = 0; file < 5; file++)
        {
            files.Write($"{file}.yaml", ManyRules(file * perFile, perFile));
        }

        var reader = new PolicyReader();
        var before = Read(reader, files).PolicyOrProblems();
        Assert.Equal(Many, before.RuleCount);
        Assert.True(MayPull(before, "user-54321", "team-54321/app"));

        var text = ManyRules(2 * perFile, perFile);
        files.Write("2.yaml", text.Replace(Line(54_321), "", StringComparison.Ordinal));
        var after = Read(reader, files).PolicyOrProblems();

        Assert.Equal(Many - 1, after.RuleCount);
        Assert.False(MayPull(after, "user-54321", "team-54321/app"));
        Assert.True(MayPull(after, "user-54320", "team-54320/app"));
        Assert.True(MayPull(after, "user-99999", "team-99999/app"));
        Assert.Equal("rule 54322 (2.yaml:14323)", Decide(after, "user-54322", "team-54322/app").Rule!.ToString());
        var removed = Assert.Single(ReloadSnapshots.Compare(before, after));
        Assert.Equal(["rule 54321 (2.yaml)"], removed.Removed);
    }

    [Fact]
    public void Read_FileRemoved_TakesItsRulesAndRolesWithIt()
    {
        using var files = new PolicyFiles(
            ("a.yaml", "roles:\n  puller: [pull]\n"),
            ("b.yaml", "rules:\n- { name: b, to: user:alice, role: puller, on: app }\n"),
            ("c.yaml", "rules:\n- { name: c, to: user:bob, role: reader, on: app }\n"));
        var reader = new PolicyReader();
        Assert.True(MayPull(Read(reader, files).PolicyOrProblems(), "alice", "app"));

        File.Delete(Path.Combine(files.Folder, "c.yaml"));
        Assert.False(MayPull(Read(reader, files).PolicyOrProblems(), "bob", "app"));

        File.Delete(Path.Combine(files.Folder, "a.yaml"));
        var problem = Assert.Single(Read(reader, files).Problems).ToString();
        Assert.Contains("b.yaml:2:36: role: unknown role (found \"puller\")", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_RoleOfAnotherFileNarrowed_NarrowsRulesOfFilesThatDidNotChange()
    {
        using var files = new PolicyFiles(
            ("a.yaml", "roles:\n  worker: [pull, push]\n"),
            ("b.yaml", "rules:\n- { name: b, to: user:alice, role: worker, on: app }\n"));
        var reader = new PolicyReader();
        var before = Read(reader, files).PolicyOrProblems();

        files.Write("a.yaml", "roles:\n  worker: [pull]\n");
        var after = Read(reader, files).PolicyOrProblems();

        Assert.True(Decide(before, "alice", "app", RepositoryActions.Push).IsAllowed);
        Assert.False(Decide(after, "alice", "app", RepositoryActions.Push).IsAllowed);
        Assert.True(Decide(after, "alice", "app").IsAllowed);
    }

    [Fact]
    public void Read_SameSizeAndTimeButOtherContent_IsReadAnew()
    {
        using var files = new PolicyFiles(("a.yaml", "rules:\n- { name: a, to: user:alice, role: reader, on: app }\n"));
        var path = Path.Combine(files.Folder, "a.yaml");
        var written = File.GetLastWriteTimeUtc(path);
        var reader = new PolicyReader();
        Assert.True(MayPull(Read(reader, files).PolicyOrProblems(), "alice", "app"));

        files.Write("a.yaml", "rules:\n- { name: a, to: user:clara, role: reader, on: app }\n");
        File.SetLastWriteTimeUtc(path, written);

        Assert.False(MayPull(Read(reader, files).PolicyOrProblems(), "alice", "app"));
    }

    [Fact]
    public void Read_NothingChanged_IsTheSamePolicy()
    {
        using var files = new PolicyFiles(("a.yaml", ManyRules(0, 10)), ("b.yaml", ManyRules(10, 10)));
        var reader = new PolicyReader();

        Assert.Same(Read(reader, files).Policy, Read(reader, files).Policy);
    }

    [Fact]
    public void Read_OtherParameters_KnowNothingOfEarlierOnes()
    {
        const string text = "rules:\n- { name: a, to: user:alice, role: reader, on: app, registries: main }\n";
        using var files = new PolicyFiles(("a.yaml", text));
        var reader = new PolicyReader();
        Assert.Empty(reader.Read(files.Folder, ["main"], requiresEnd: false).Problems);

        Assert.Single(reader.Read(files.Folder, ["other"], requiresEnd: false).Problems);
        Assert.Single(reader.Read(files.Folder, ["main"], requiresEnd: true).Problems);
        Assert.Empty(reader.Read(files.Folder, null, requiresEnd: false).Problems);
    }

    [Fact]
    public void Read_RandomChanges_SayTheSameAsAReaderThatKnowsNothing()
    {
        var random = new Random(2025);
        using var files = new PolicyFiles();
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        var reader = new PolicyReader();
        var (good, bad) = (0, 0);
        for (var step = 0; step < 400; step++)
        {
            Change(random, files, texts);
            var known = Read(reader, files);
            var fresh = Read(new PolicyReader(), files);

            Assert.Equal(Texts(fresh.Problems), Texts(known.Problems));
            Assert.Equal(Texts(fresh.Warnings), Texts(known.Warnings));
            Assert.Equal(Describe(fresh.Policy), Describe(known.Policy));
            _ = known.Problems.Count == 0 ? good++ : bad++;
        }

        Assert.True(good > 40 && bad > 40, $"{good} good and {bad} bad: the comparison shows too little");
    }

    private static PolicyReading Read(PolicyReader reader, PolicyFiles files) =>
        reader.Read(files.Folder, Registries, requiresEnd: false);

    private static List<string> Texts(IEnumerable<Problem> problems) =>
        [.. problems.Select(static one => one.ToString())];

    private static string Line(int i) =>
        string.Create(CultureInfo.InvariantCulture,
            $"- {{ name: rule {i}, to: user:user-{i}, role: reader, on: team-{i}/** }}\n");

    private static string ManyRules(int first, int count)
    {
        var text = new StringBuilder("rules:\n");
        for (var i = first; i < first + count; i++)
        {
            text.Append(Line(i));
        }

        return text.ToString();
    }

    private static void Change(Random random, PolicyFiles files, Dictionary<string, string> texts)
    {
        var name = $"{(char)('a' + random.Next(4))}.yaml";
        switch (random.Next(10))
        {
            case 0 when texts.Count > 1:
                File.Delete(Path.Combine(files.Folder, name));
                texts.Remove(name);
                return;
            case 1 when texts.TryGetValue(name, out var text) && text.Length > 20:
                // Damaged on the disk alone: the next change of it repairs it.
                files.Write(name, text.Remove(random.Next(text.Length - 10), random.Next(1, 10)));
                return;
            case 2 when texts.TryGetValue(name, out var text):
                texts[name] = "# a comment moves all lines\n" + text;
                break;
            case 3:
                foreach (var (other, whole) in texts)
                {
                    files.Write(other, whole); // all damage repaired
                }

                return;
            default:
                texts[name] = RandomFile(random, name[0]);
                break;
        }

        files.Write(name, texts[name]);
    }

    // Groups and roles are those of the file's letter, so that they seldom meet; rules use those of all files.
    private static string RandomFile(Random random, char file)
    {
        var text = new StringBuilder();
        if (random.Next(2) == 0)
        {
            var nested = file == 'a' || random.Next(15) == 0 ? "" : ", \"group:team-a\"";
            text.Append(CultureInfo.InvariantCulture, $"groups:\n  team-{file}: [alice{nested}]\n");
        }

        var declaresRole = random.Next(4) > 0;
        if (declaresRole)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"roles:\n  role-{file}: [pull{(random.Next(2) == 0 ? ", push" : "")}]\n");
        }

        text.Append("rules:\n");
        for (var i = random.Next(1, 5); i > 0; i--)
        {
            var foreign = random.Next(12) == 0;
            var role = foreign ? $"role-{(char)('a' + random.Next(4))}" : declaresRole ? $"role-{file}" : "reader";
            var name = random.Next(25) == 0 ? "shared" : $"{file} {i}";
            text.Append(
                CultureInfo.InvariantCulture,
                $"- name: {name}\n  to: [ \"group:team-{(char)('a' + random.Next(5))}\" ]\n");
            text.Append(
                CultureInfo.InvariantCulture, $"  role: {role}\n  on: [ \"app-{random.Next(3)}/**\", \"*\" ]\n");
        }

        return text.ToString();
    }

    private static string Describe(PolicySet policy) => string.Join('\n', policy.Definition.Rules.Select(static rule =>
            $"{rule.Identity}|{rule.Effect}|{rule.Actions}|{string.Join(',', rule.To)}|{string.Join(',', rule.On)}")
        .Concat(policy.Definition.Groups.Select(static group => $"{group.Name}: {string.Join(',', group.Members)}")));

    private static bool MayPull(PolicySet policy, string user, string repository) =>
        Decide(policy, user, repository).IsAllowed;

    private static AccessDecision Decide(
        PolicySet policy, string user, string repository, RepositoryActions actions = RepositoryActions.Pull) =>
        policy.Evaluate(new AccessRequest
        {
            Subject = new Subject { Kind = SubjectKind.User, Name = user, Method = "htpasswd" },
            Registry = "main",
            Repository = RepositoryName.Parse(repository),
            Actions = actions,
            ClientAddress = IPAddress.Loopback,
            Time = DateTimeOffset.UnixEpoch,
        });
}
