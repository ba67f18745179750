using System.Text.Json;
using Gateway.Commands;
using Gateway.Tests.Support;

namespace Gateway.Tests.Commands;

public sealed class PolicyCommandTests
{
    private const string Rules = """
        groups: { team-a: [alice] }
        rules:
        - { name: team-a writes its repositories, to: "group:team-a", role: writer, on: "team-a/**" }
        - { name: release tags are immutable, deny: [overwrite, delete], on: "**", tags: "v*" }
        """;

    [Fact]
    public async Task Check_GoodFolder_ExitsWithZero()
    {
        using var files = new PolicyFiles(("a.yaml", Rules));

        var (code, output, error) = await RunAsync("policy", "check", files.Folder);

        Assert.Equal((0, $"{files.Folder}: valid (files: 1, rules: 2, warnings: 0)\n", ""), (code, output, error));
    }

    [Fact]
    public async Task Check_WrongFiles_ExitsWith78AndOneLineAProblem()
    {
        using var good = new PolicyFiles(("a.yaml", Rules));
        using var wrong = new PolicyFiles(("a.yaml", "rule: 1"), ("b.yaml", "role: 2"));

        var (code, _, error) = await RunAsync("policy", "check", good.Folder, wrong.Folder);

        Assert.Equal(78, code);
        Assert.Equal(
            $"{wrong.Folder}/a.yaml:1:1: unknown key (found \"rule\"). Did you mean \"rules\"?\n"
            + $"{wrong.Folder}/b.yaml:1:1: unknown key (found \"role\"). Did you mean \"roles\"?\n",
            error);
    }

    [Theory]
    [InlineData("policy", "check")]
    [InlineData("policy", "test")]
    [InlineData("policy", "explain", "alice", "pull", "team-a/app", "--policies")]
    public async Task All_EndRequired_RefuseAFileWithoutIt(params string[] command)
    {
        using var files = new PolicyFiles(("a.yaml", Rules + "\n"));

        Assert.Equal(0, (await RunAsync([.. command, files.Folder])).Code);
        var (code, _, error) = await RunAsync([.. command, files.Folder, "--require-document-end"]);
        Assert.Equal((78, $"{files.Folder}/a.yaml: the line \"...\" at the end is missing, so the file may be cut off "
            + "(requireDocumentEnd). Write the file again, completely; its last line must be \"...\".\n"),
            (code, error));

        files.Write("a.yaml", Rules + "\n...\n# a comment may follow\n");
        Assert.Equal(0, (await RunAsync([.. command, files.Folder, "--require-document-end"])).Code);
    }

    [Fact]
    public async Task Test_EndRequired_RefusesATestFileWithoutIt()
    {
        using var files = new PolicyFiles(("a.yaml", Rules + "\n...\n"), ("a.test.yaml", "tests: []\n"));

        var (code, _, error) = await RunAsync("policy", "test", files.Folder, "--require-document-end");

        Assert.Equal(78, code);
        Assert.StartsWith(
            $"{files.Folder}/a.test.yaml: the line \"...\" at the end is missing", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_OnlyWarnings_ExitsWithZero()
    {
        using var files = new PolicyFiles(
            ("a.yaml", Rules + "\n- { name: x, to: \"user:a\", role: reader, on: \"*\" }\n"));

        var (code, _, error) = await RunAsync("policy", "check", files.Folder);

        Assert.Equal(0, code);
        Assert.StartsWith("warning: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_Allowed_NamesTheRuleAndWhatATagRuleTakes()
    {
        using var files = new PolicyFiles(("a.yaml", Rules));

        var (code, output, _) = await RunAsync(
            "policy", "explain", "--policies", files.Folder, "alice", "push", "team-a/app:v1");

        Assert.Equal(0, code);
        Assert.Equal(
            """
            allowed
            because rule "team-a writes its repositories" (a.yaml:3) grants pull, push on team-a/** to group team-a
            note    not if the tag exists already: rule "release tags are immutable" (a.yaml:4) denies overwrite on ** for tags v*

            """,
            output);
    }

    [Fact]
    public async Task Explain_Refused_ExitsWithOneAndNamesTheNearestMiss()
    {
        using var files = new PolicyFiles(("a.yaml", Rules));

        var (code, output, _) = await RunAsync(
            "policy", "explain", "--policies", files.Folder, "user:bob", "pull", "team-a/app");

        Assert.Equal(1, code);
        Assert.Equal(
            """
            refused
            because no rule grants pull on team-a/app to user:bob; nearest: rule "team-a writes its repositories" (a.yaml:3) grants pull on team-a/**, but only to group team-a
            nearly  rule "team-a writes its repositories" (a.yaml:3) grants pull on team-a/**, but only to group team-a

            """,
            output);
    }

    [Fact]
    public async Task Explain_Json_CarriesTheSameDecision()
    {
        using var files = new PolicyFiles(("a.yaml", Rules));

        var (code, output, _) = await RunAsync(
            "policy", "explain", "--json", "--policies", files.Folder, "bob", "--group", "team-a", "overwrite",
            "team-a/app:v1");

        Assert.Equal(1, code);
        var document = JsonDocument.Parse(output).RootElement;
        Assert.False(document.GetProperty("allowed").GetBoolean());
        Assert.Equal("release tags are immutable", document.GetProperty("rule").GetProperty("name").GetString());
        Assert.Equal("overwrite", document.GetProperty("missing")[0].GetString());
        Assert.Equal(
            "team-a writes its repositories",
            document.GetProperty("matches")[1].GetProperty("rule").GetProperty("name").GetString());
    }

    [Theory]
    [InlineData(
        "team:bob", "pull", "app",
        "subject \"team:bob\" is not one of user:NAME, robot:NAME, workload:NAME and anonymous\n")]
    [InlineData("workload:w", "pull", "app", "subject \"workload:w\" needs a method, such as issuer:github\n")]
    [InlineData("bob", "read", "app", "action \"read\" is not one of pull, push, overwrite, delete\n")]
    [InlineData("bob", "pull", "App", "repository \"App\" is not a repository name, such as team-a/app\n")]
    [InlineData("bob", "pull", "app:.x", "tag \".x\" is not a tag, such as v1.4\n")]
    public async Task Explain_QuestionWithoutSense_SaysWhatIsWrong(
        string subject, string action, string repository, string message)
    {
        using var files = new PolicyFiles(("a.yaml", Rules));

        var (code, _, error) = await RunAsync(
            "policy", "explain", "--policies", files.Folder, subject, action, repository);

        Assert.Equal((78, message), (code, error));
    }

    [Fact]
    public async Task Test_AnswersAsExpected_ExitsWithZero()
    {
        using var files = new PolicyFiles(("a.yaml", Rules), ("a.test.yaml", """
            tests:
            - { name: one, subject: "user:alice", action: push, repository: team-a/app, expect: allow, rule: team-a writes its repositories }
            - { name: two, subject: anonymous, action: pull, repository: team-a/app, expect: deny }
            """));

        var (code, output, _) = await RunAsync("policy", "test", files.Folder);

        Assert.Equal((0, $"{files.Folder}: questions: 2, unexpected answers: 0\n"), (code, output));
    }

    [Fact]
    public async Task Test_AnswersOtherwise_ExitsWithOneAndExplainsEach()
    {
        using var files = new PolicyFiles(("a.yaml", Rules), ("a.test.yaml", """
            tests:
            - { name: one, subject: "user:alice", action: push, repository: team-b/app, expect: allow }
            - { name: two, subject: "user:alice", action: push, repository: team-a/app, expect: deny }
            - { name: three, subject: "user:alice", action: overwrite, repository: team-a/app, tag: v1, expect: deny, rule: x }
            """));

        var (code, output, _) = await RunAsync("policy", "test", files.Folder);

        Assert.Equal(1, code);
        var lines = output.Split('\n');
        Assert.Equal(
            $"{files.Folder}/a.test.yaml:2: \"one\": denied, but allow was expected: no rule grants pull, push on "
                + "team-b/app to user:alice; nearest: rule \"team-a writes its repositories\" (a.yaml:3) grants pull, "
                + "push on team-a/**, but the repository is team-b/app. Change the policy or the expectation.",
            lines[0]);
        Assert.Equal(
            $"{files.Folder}/a.test.yaml:3: \"two\": allowed, but deny was expected: rule \"team-a writes its "
                + "repositories\" (a.yaml:3) grants pull, push on team-a/** to group team-a. Change the policy or the "
                + "expectation.",
            lines[1]);
        Assert.StartsWith(
            $"{files.Folder}/a.test.yaml:4: \"three\": decided by rule \"release tags are immutable\", but \"x\" was "
                + "expected: ", lines[2], StringComparison.Ordinal);
        Assert.Equal($"{files.Folder}: questions: 3, unexpected answers: 3", lines[3]);
    }

    [Fact]
    public async Task Test_WrongTestFile_ExitsWith78()
    {
        using var files = new PolicyFiles(("a.yaml", Rules), ("a.test.yaml", """
            tests:
            - { name: one, subject: "user:alice", action: push, repository: app, expects: allow }
            - { name: two, subject: "user:alice", action: push, repository: app, expect: maybe }
            - { name: three, subject: "user:alice", action: push, repository: App, expect: deny }
            - { name: four, subject: *alice , action: push, repository: app, expect: deny }
            """));

        var (code, _, error) = await RunAsync("policy", "test", files.Folder);

        Assert.Equal(78, code);
        Assert.Equal(
            $"{files.Folder}/a.test.yaml:2:3: a test without \"expect\". Add \"expect: …\".\n"
            + $"{files.Folder}/a.test.yaml:2:70: unknown key (found \"expects\"). Did you mean \"expect\"?\n"
            + $"{files.Folder}/a.test.yaml:3:78: expect: neither allow nor deny (found \"maybe\"). Write allow or "
            + $"deny.\n{files.Folder}/a.test.yaml:4:3: repository \"App\" is not a repository name, such as "
            + $"team-a/app. Correct it.\n{files.Folder}/a.test.yaml:5:26: a value that begins with \"*\" is an alias, "
            + "and aliases are not supported (found \"*alice\"). Put the value in quotes, as in \"*:8443\" or \"**\"; "
            + "or repeat the value of the alias here.\n",
            error);
    }

    [Fact]
    public async Task SamplePolicies_AsDelivered_CheckWithoutWarningAndPassTheirTests()
    {
        var folder = Path.Combine(RepositoryRoot.Path, "config", "policies");

        var check = await RunAsync("policy", "check", folder);
        var test = await RunAsync("policy", "test", folder);

        Assert.Equal((0, ""), (check.Code, check.Error));
        Assert.True(test.Code == 0, test.Output + test.Error);
    }

    [Fact]
    public async Task DocumentedPolicies_AsPrinted_CheckWithoutWarning()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, "docs", "policy.md"));
        var blocks = page.Split("```yaml\n")
            .Skip(1)
            .Select(static block => block[..block.IndexOf("```", StringComparison.Ordinal)]).ToList();
        var conditions = "rules:\n- name: x\n  to: [ \"issuer:github\" ]\n  role: reader\n  on: [ \"**\" ]\n"
            + string.Join('\n', blocks[1].Split('\n').Select(static line => "  " + line));
        using var files = new PolicyFiles(("a.yaml", blocks[0]), ("b.yaml", conditions), ("c.test.yaml", blocks[2]));

        var check = await RunAsync("policy", "check", files.Folder);
        var test = await RunAsync("policy", "test", files.Folder);

        Assert.Equal((0, ""), (check.Code, check.Error));
        Assert.True(test.Code == 0, test.Output + test.Error);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var result = GatewayCommand.Create().Parse(arguments);
        result.InvocationConfiguration.Output = output;
        result.InvocationConfiguration.Error = error;
        return (await result.InvokeAsync(), output.ToString(), error.ToString());
    }
}
