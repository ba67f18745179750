using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

public class AccessScopeParserTests
{
    private const string Host = "localhost:8443";

    [Theory]
    [InlineData("repository:team/app:pull", "repository:team/app:pull")]
    [InlineData("repository:team/app:pull,push", "repository:team/app:pull,push")]
    [InlineData("repository:team/app:push,pull", "repository:team/app:pull,push")]
    [InlineData("repository:team/app:push,pull,delete", "repository:team/app:pull,push,delete")] // crane
    [InlineData("repository:team/app:delete", "repository:team/app:delete")]
    [InlineData("repository:team/app:*", "repository:team/app:pull,push,delete")] // skopeo delete
    [InlineData("repository:team/app:pull,*", "repository:team/app:pull,push,delete")]
    [InlineData("repository:app:pull,pull", "repository:app:pull")]
    [InlineData("repository(plugin):team/app:pull", "repository:team/app:pull")]
    [InlineData("repository(image1):team/app:pull", "repository:team/app:pull")]
    [InlineData("registry:catalog:*", "registry:catalog:*")]
    [InlineData("registry:catalog:pull,*", "registry:catalog:*")]
    [InlineData("repository:localhost:8443/team/app:pull", "repository:team/app:pull")]
    [InlineData("repository:LocalHost:8443/team/app:pull", "repository:team/app:pull")]
    [InlineData("repository:localhost:8443/localhost:8443/app:pull", "")] // the host stands there once
    // a name like any other
    [InlineData("repository:other.example.com/app:pull", "repository:other.example.com/app:pull")]
    [InlineData("repository:x:pull repository:x:pull,push", "repository:x:pull,push")] // containerd
    [InlineData(" repository:a:pull  repository:b:pull ", "repository:a:pull repository:b:pull")]
    [InlineData(
        "repository:a:pull registry:catalog:* repository:b:push",
        "repository:a:pull repository:b:push registry:catalog:*")]
    public void Parse_Scope_IsReadAs(string text, string expected) =>
        Assert.Equal(expected, AccessScopeParser.Parse([text], Host).ToString());

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(":")]
    [InlineData("::")]
    [InlineData("repository")]
    [InlineData("repository:")]
    [InlineData("repository:team/app")]
    [InlineData("repository::pull")]
    [InlineData("repository:team/app:")]
    [InlineData("repository:team/app:,")]
    [InlineData("repository:team/app:overwrite")] // policy's own word: part of push
    [InlineData("repository:team/app:PULL")]
    [InlineData("repository:team/app:pull\t")]
    [InlineData("repository:team/app:read,write")]
    [InlineData("repository:team/app:**")]
    [InlineData("Repository:team/app:pull")]
    [InlineData("repositoryx:team/app:pull")]
    [InlineData("repository():team/app:pull")]
    [InlineData("repository(:team/app:pull")]
    [InlineData("repository(plugin:team/app:pull")]
    [InlineData("repository(Plugin):team/app:pull")]
    [InlineData("repository(a)(b):team/app:pull")]
    [InlineData("plugin:team/app:pull")]
    [InlineData("repository:Team/app:pull")]
    [InlineData("repository:team//app:pull")]
    [InlineData("repository:team/../secret:pull")]
    [InlineData("repository:*:pull")]
    [InlineData("repository:**:*")]
    [InlineData("repository:team/*:pull")]
    [InlineData("repository:team%2Fapp:pull")]
    [InlineData("repository:other.example.com:5000/app:pull")]
    [InlineData("repository:localhost:8443:pull")]
    [InlineData("repository:localhost:8443/:pull")]
    [InlineData("repository:localhost:84431/app:pull")]
    [InlineData("registry:catalog:pull")]
    [InlineData("registry:catalog:pull,push,delete")]
    [InlineData("registry:catalog:")]
    [InlineData("registry:other:*")]
    [InlineData("registry(x):catalog:*")]
    [InlineData("repository:catalog:registry:*")]
    public void Parse_UnknownOrMalformed_GrantsNothingAndIsNoError(string text) =>
        Assert.True(AccessScopeParser.Parse([text], Host).IsEmpty);

    [Fact]
    public void Parse_UnknownBesideKnown_KeepsTheKnown() => Assert.Equal(
        "repository:a:pull repository:b:push",
        AccessScopeParser.Parse(
            ["nonsense repository:a:pull,fly", "repository:C:pull repository:b:push"], Host).ToString());

    [Fact]
    public void Parse_ParameterRepeated_IsLikeJoinedBySpaces() => Assert.Equal(
        AccessScopeParser.Parse(["repository:a:pull repository:b:pull repository:a:push"], Host).ToString(),
        AccessScopeParser.Parse(["repository:a:pull", "repository:b:pull", "repository:a:push"], Host).ToString());

    [Fact]
    public void Parse_ScopeAtTheGreatestLength_IsReadAndBeyondIgnored()
    {
        var actions = string.Concat(Enumerable.Repeat(",pull", 300));
        var fits = ("repository:a:pull" + actions)[..AccessScopeParser.MaxEntryLength];
        Assert.Equal("repository:a:pull", AccessScopeParser.Parse([fits], Host).ToString());
        Assert.True(AccessScopeParser.Parse([fits + ","], Host).IsEmpty);
    }

    [Fact]
    public void Parse_MoreThanATokenHolds_DropsTheRest()
    {
        var many = string.Join(' ', Enumerable.Range(0, 10_000).Select(static i => $"repository:r{i}:pull"));

        var scope = AccessScopeParser.Parse([many], Host);

        Assert.Equal(AccessScope.MaxRepositories, scope.Repositories.Length);
        Assert.Equal("r0", scope.Repositories[0].Repository.Value);
    }

    [Fact]
    public void Parse_BodyFullOfScopes_AllocatesInProportionToWhatIsLookedAt()
    {
        var texts = new[] { string.Concat(Enumerable.Repeat("repository:a:pull ", 1_000_000)) };
        AccessScopeParser.Parse(texts, Host);

        var before = GC.GetAllocatedBytesForCurrentThread();
        AccessScopeParser.Parse(texts, Host);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Parse_AnyText_NeverThrowsAndIsStable()
    {
        var pieces = Gen.Elements(
            "repository", "registry", "catalog", "(plugin)", "(", ")", ":", ":", ":", ",", " ", "/", "*", "pull",
            "push", "delete",
            "team", "app", "localhost:8443", "localhost:8443/", "LOCALHOST:8443/", "\0", "é", "\u202E", "..", "%2F",
            "A", "overwrite");
        var text = Gen.Choose(0, 30).SelectMany(pieces.ArrayOf).Select(string.Concat);
        var texts = Gen.Choose(0, 4).SelectMany(text.ArrayOf);
        Prop.ForAll(texts.ToArbitrary(), static texts =>
        {
            var scope = AccessScopeParser.Parse(texts, Host);
            // What was read is canonical: reading it again gives the same, and nothing was made up.
            return AccessScopeParser.Parse([scope.ToString()], Host).ToString() == scope.ToString()
                && scope.Repositories.All(
                    item => texts.Any(text => text.Contains(item.Repository.Value, StringComparison.Ordinal)))
                && scope.Repositories.All(static item => (item.Actions & RepositoryActions.Overwrite) == 0);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));
    }

    [Fact]
    public void Parse_ScopesOfAnyOrder_UnitesWhatWasAskedAndNothingElse()
    {
        var entry =
            from name in Gen.Elements("a", "b", "a/b", "c-d")
            from actions in Gen.SubListOf("pull", "push", "delete", "fly").Where(static list => list.Count > 0)
            from prefixed in Gen.Elements("", Host + "/")
            select (Name: name, Actions: actions.ToArray(),
                Text: $"repository:{prefixed}{name}:{string.Join(',', actions)}");
        var request =
            from entries in Gen.Choose(0, 6).SelectMany(entry.ArrayOf)
            from joined in Gen.Elements(true, false)
            select (Entries: entries, Joined: joined);
        Prop.ForAll(request.ToArbitrary(), static request =>
        {
            var texts = request.Entries.Select(static entry => entry.Text).ToArray();
            var scope = AccessScopeParser.Parse(request.Joined ? [string.Join(' ', texts)] : texts, Host);
            return new[] { "a", "b", "a/b", "c-d" }.All(name =>
            {
                var expected = request.Entries.Where(entry => entry.Name == name)
                    .SelectMany(static entry => entry.Actions)
                    .Where(static action => action != "fly")
                    .Distinct()
                    .Order();
                var actual = scope.Repositories.Where(item => item.Repository.Value == name)
                    .SelectMany(static item => item.WireActions).Order();
                return expected.SequenceEqual(actual);
            });
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));
    }
}
