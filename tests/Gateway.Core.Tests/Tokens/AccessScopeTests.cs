using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

public sealed class AccessScopeTests
{
    private static readonly RepositoryName App = RepositoryName.Parse("team/app");

    [Fact]
    public void Of_OneRepositoryTwice_UnitesItsActions()
    {
        var scope = AccessScope.Create(
            [
                new(App, RepositoryActions.Pull), new(RepositoryName.Parse("b"), RepositoryActions.Delete),
                new(App, RepositoryActions.Push),
            ],
            catalog: true);

        Assert.Equal("repository:team/app:pull,push repository:b:delete registry:catalog:*", scope.ToString());
    }

    [Fact]
    public void Of_Nothing_IsEmpty()
    {
        Assert.Same(AccessScope.Empty, AccessScope.Create([], catalog: false));
        Assert.Equal("", AccessScope.Empty.ToString());
        Assert.False(AccessScope.Create([], catalog: true).IsEmpty);
    }

    [Theory]
    [InlineData("", "", true)]
    [InlineData("repository:team/app:pull", "", true)]
    [InlineData("", "repository:team/app:pull", false)]
    [InlineData("", "registry:catalog:*", false)]
    [InlineData("registry:catalog:*", "registry:catalog:*", true)]
    [InlineData("registry:catalog:*", "repository:team/app:pull", false)]
    [InlineData("repository:team/app:pull,push,delete", "registry:catalog:*", false)]
    [InlineData("repository:team/app:pull", "repository:team/app:pull", true)]
    [InlineData("repository:team/app:pull", "repository:team/app:pull,push", false)]
    [InlineData("repository:team/app:pull,push", "repository:team/app:pull", true)]
    [InlineData("repository:team/app:pull,push", "repository:team/app:pull,push,delete", false)]
    [InlineData("repository:team/app:push", "repository:team/app:pull", true)] // whoever may push may pull
    [InlineData("repository:team/app:delete", "repository:team/app:push", false)]
    [InlineData("repository:team/app:pull", "repository:team/apps:pull", false)]
    [InlineData("repository:team/app:pull", "repository:team:pull", false)]
    [InlineData("repository:team/app:pull", "repository:team/app:pull repository:team/b:pull", false)]
    [InlineData(
        "repository:team/b:pull repository:team/app:pull", "repository:team/app:pull repository:team/b:pull", true)]
    [InlineData("repository:team/app:pull", "repository:team/app:pull registry:catalog:*", false)]
    [InlineData("repository:team/app:pull registry:catalog:*", "repository:team/app:pull registry:catalog:*", true)]
    public void Covers_GrantedAndAsked_IsWhetherNothingIsMissing(string granted, string asked, bool expected) =>
        Assert.Equal(expected, Parse(granted).Covers(Parse(asked)));

    [Fact]
    public void Covers_Overwrite_IsPartOfPushOnTheWire()
    {
        var asked = AccessScope.Create(
            [new(App, RepositoryActions.Push | RepositoryActions.Overwrite)], catalog: false);

        Assert.True(Parse("repository:team/app:push").Covers(asked));
        Assert.False(Parse("repository:team/app:pull").Covers(asked));
    }

    [Fact]
    public void Of_MoreThanATokenHolds_DropsTheLast()
    {
        var many = AccessScope.Create(
            Enumerable.Range(0, 100).Select(
                static i => new RepositoryScope(RepositoryName.Parse($"r{i}"), RepositoryActions.Pull)),
            catalog: false);
        var longOnes = AccessScope.Create(
            Enumerable.Range(10, 50).Select(static i => new RepositoryScope(
                RepositoryName.Parse(new string('a', 250) + i), RepositoryActions.Pull)),
            catalog: false);

        Assert.Equal(AccessScope.MaxRepositories, many.Repositories.Length);
        Assert.Equal(RepositoryActions.None, many.ActionsOn(RepositoryName.Parse("r64")));
        Assert.Equal(AccessScope.MaxLength / 252, longOnes.Repositories.Length);
    }

    [Fact]
    public void ActionsOn_Push_BringsPullAndOverwriteAndNothingElse()
    {
        var scope = AccessScope.Create([new(App, RepositoryActions.Push)], catalog: false);

        Assert.Equal(
            RepositoryActions.Pull | RepositoryActions.Push | RepositoryActions.Overwrite, scope.ActionsOn(App));
        Assert.Equal(RepositoryActions.None, scope.ActionsOn(RepositoryName.Parse("team/app2")));
        Assert.Equal("repository:team/app:push", scope.ToString());
    }

    private static AccessScope Parse(string text) => AccessScopeParser.Parse([text], "registry.test");
}
