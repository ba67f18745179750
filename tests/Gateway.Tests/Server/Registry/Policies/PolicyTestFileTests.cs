using Gateway.Foundation.Configuration;
using Gateway.Server.Registry.Policies;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Registry.Policies;

/// <summary>
/// Test files beside policies: what they say is asked, and nothing that cannot be read is passed over.
/// </summary>
public sealed class PolicyTestFileTests
{
    [Fact]
    public void Read_EveryKey_IsPartOfTheQuestion()
    {
        var test = Assert.Single(Read(
            """
            tests:
              - name: the night shift publishes
                subject: workload:acme/app
                method: issuer:github
                groups: [ops]
                claims: { ref: refs/heads/main }
                address: 10.0.0.7
                time: 2026-03-01T23:30:00+01:00
                registry: second
                action: push
                repository: acme/app
                tag: v1
                expect: deny
                rule: nights only
            """));

        Assert.Equal(("the night shift publishes", false, "nights only"), (test.Name, test.IsAllowed, test.Rule));
        Assert.Equal(
            ("workload:acme/app", "issuer:github", "refs/heads/main", "ops"),
            (test.Request.Subject.ToString(), test.Request.Subject.Method, test.Request.Subject.Claims["ref"],
                test.Request.Subject.Groups[0]));
        Assert.Equal(
            ("second", "acme/app", "10.0.0.7", new DateTimeOffset(2026, 3, 1, 22, 30, 0, TimeSpan.Zero)),
            (test.Request.Registry, test.Request.Repository.Value, test.Request.ClientAddress.ToString(),
                test.Request.Time.ToUniversalTime()));
    }

    [Fact]
    public void Read_LeastThatIsNeeded_AsksAtAFixedTime()
    {
        var test = Assert.Single(
            Read("tests: [ { name: x, subject: alice, action: pull, repository: a/b, expect: allow } ]"));
        Assert.Equal((true, null, PolicyTestFile.DefaultTime), (test.IsAllowed, test.Rule, test.Request.Time));
    }

    [Theory]
    [InlineData("tests: [ { name: x, subject: alice, action: pull, repository: a/b } ]", "a test without \"expect\"")]
    [InlineData(
        "tests: [ { name: x, subject: alice, action: pull, repository: a/b, expect: yes } ]",
        "expect: neither allow nor deny")]
    [InlineData(
        "tests: [ { name: x, subject: alice, action: pull, repository: a/b, expect: allow, tags: v1 } ]", "tags")]
    [InlineData(
        "tests: [ { name: x, subject: alice, action: pull, repository: a/b, expect: allow, time: noon } ]",
        "time: not an instant")]
    [InlineData(
        "tests: [ { name: x, subject: alice, action: pull, repository: a/b, expect: allow, time: 2026-02-30T00:00:00Z "
            + "} ]", "time: not an instant")]
    [InlineData(
        "tests: [ { name: x, subject: alice, action: pull, repository: A, expect: allow } ]", "repository \"A\"")]
    [InlineData("tests: [ alice ]", "tests")]
    [InlineData("test: []", "test")]
    [InlineData("", "no list of tests")]
    public void Read_SomethingWrong_IsAProblemAndNotATestLess(string text, string what)
    {
        var exception = Assert.Throws<ProblemException>(() => Read(text));
        Assert.Contains(exception.Problems, problem => problem.ToString().Contains(what, StringComparison.Ordinal));
        Assert.All(
            exception.Problems,
            static problem => Assert.Contains("a.test.yaml", problem.Source, StringComparison.Ordinal));
    }

    [Fact]
    public void Run_RightAnswerByAnotherRule_Fails()
    {
        using var files = new PolicyFiles(
            ("policy.yaml", """
                rules:
                  - { name: alice reads, to: ["user:alice"], role: reader, on: ["a/**"] }
                  - { name: all read, to: [authenticated], role: reader, on: ["a/**"] }
                """),
            ("a.test.yaml", """
                tests:
                  - { name: by the first, subject: alice, action: pull, repository: a/b, expect: allow, rule: alice reads }
                  - { name: by the second, subject: bob, action: pull, repository: a/b, expect: allow, rule: alice reads }
                  - { name: by none, subject: bob, action: push, repository: a/b, expect: deny, rule: alice reads }
                """));
        var policy = PolicyFolder.Load(files.Folder, ["main"]);

        var report = PolicyTests.Run(policy, files.Folder);

        Assert.Equal(3, report.Count);
        Assert.Equal(
            ["\"by the second\": decided by rule \"all read\", but \"alice reads\" was expected", "\"by none\": "
                + "decided by no rule, but \"alice reads\" was expected"],
            report.Failures.Select(
                static failure => failure.What.Split(": ", 3) is [var name, var what, ..]
                    ? $"{name}: {what}"
                    : failure.What));
    }

    private static IReadOnlyList<PolicyTest> Read(string text)
    {
        using var files = new PolicyFiles(("a.test.yaml", text));
        var problems = new ProblemCollector();
        var tests = PolicyTestFile.Read(Path.Combine(files.Folder, "a.test.yaml"), requiresEnd: false, problems);
        problems.ThrowIfAny();
        return tests;
    }
}
