using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Authorization;
using Gateway.Core.Authorization.Index;
using Gateway.Core.Tests.Support;

namespace Gateway.Core.Tests.Authorization;

public sealed class GlobIndexTests
{
    private static readonly Gen<string> Text = Gen.Choose(0, 6).SelectMany(static length =>
        Gen.Elements('a', 'b').ArrayOf(length).Select(static letters => new string(letters)));

    private static readonly Gen<string> Pattern = Gen.Choose(0, 6).SelectMany(static length =>
        Gen.Elements('a', 'b', '*').ArrayOf(length).Select(static letters => new string(letters)));

    [Fact]
    public void Find_AnyGlobs_FindsThoseThatMatchOneByOne()
    {
        var cases = from patterns in Pattern.ArrayOf(20)
                    from texts in Text.ArrayOf(10)
                    select (patterns, texts);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1_000), Prop.ForAll(cases.ToArbitrary(), static test =>
        {
            var index = new GlobIndex<int>(
                test.patterns.Select(static (pattern, number) => (new Glob(pattern), number)));
            foreach (var text in test.texts)
            {
                var found = new List<int>();
                foreach (var number in index.Find(text))
                {
                    found.Add(number);
                }

                var expected = Enumerable.Range(0, test.patterns.Length).Where(
                    number => Matches(test.patterns[number], text));
                Assert.Equal(expected, found.Order());
            }
        }));
    }

    [Fact]
    public void Matches_ManyWildcards_StaysQuick()
    {
        // Exponential in a matcher that tries every split.
        var glob = new Glob(string.Concat(Enumerable.Repeat("*a", 200)) + "*b");

        Assert.False(glob.Matches(new string('a', 10_000)));
        Assert.True(glob.Matches(new string('a', 10_000) + "b"));
    }

    [Fact]
    public void Evaluate_ManyTagRulesOnOnePattern_FindsTheOneThatMatches()
    {
        var policy = PolicyBuilder.Policy(
        [
            .. Enumerable.Range(0, 100).Select(static i => PolicyBuilder.ForTags(
                PolicyBuilder.Allow($"allow {i:000}", "everyone", PolicyBuilder.Writer, "**"), $"a{i}-*", $"*-a{i}")),
            .. Enumerable.Range(0, 100).Select(static i => PolicyBuilder.ForTags(
                PolicyBuilder.Deny($"deny {i:000}", "", RepositoryActions.Overwrite, "**"), $"a{i}-1*")),
        ]);

        Assert.Equal("allow 042", Decide("a42-x", RepositoryActions.Overwrite).Rule!.Name);
        Assert.Equal("allow 007", Decide("x-a7", RepositoryActions.Push).Rule!.Name);
        Assert.Equal("deny 042", Decide("a42-1x", RepositoryActions.Overwrite).Rule!.Name);
        Assert.Null(Decide("b42-x", RepositoryActions.Push).Rule);

        AccessDecision Decide(string tag, RepositoryActions actions) => policy.Evaluate(
            PolicyBuilder.Ask(PolicyBuilder.Alice, actions, "app", PolicyBuilder.TagOf(tag)));
    }

    private static bool Matches(string glob, string text) => glob switch
    {
        "" => text == "",
        ['*', .. var rest] => Matches(rest, text) || (text != "" && Matches(glob, text[1..])),
        _ => text != "" && text[0] == glob[0] && Matches(glob[1..], text[1..]),
    };
}
