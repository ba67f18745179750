using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Core.Tests.Authorization;

public sealed class CredentialLimitTests
{
    private const RepositoryActions Pull = RepositoryActions.Pull;
    private const RepositoryActions Delete = RepositoryActions.Delete;

    // A push looks before it writes, and moves tags unless policy forbids it.
    private const RepositoryActions PushAndWhatItBrings = Pull | RepositoryActions.Push | RepositoryActions.Overwrite;

    private static readonly Gen<string> Segments = Gen.Elements("a", "b", "ab", "a-b");

    private static readonly Gen<RepositoryName> Names =
        from count in Gen.Choose(1, 4)
        from parts in Segments.ArrayOf(count)
        select RepositoryName.Parse(string.Join('/', parts));

    private static readonly Gen<string> Entries =
        from count in Gen.Choose(1, 4)
        from parts in Gen.Elements("a", "b", "ab", "*", "a*", "*b", "a*b", "**").ArrayOf(count)
        from actions in Gen.Elements(
            "pull", "push", "delete", "pull,push", "push,pull", "delete,pull", "pull,push,delete")
        select string.Join('/', parts) + ":" + actions;

    private static readonly Gen<string[]> Limits =
        from count in Gen.Choose(1, 5)
        from entries in Entries.ArrayOf(count)
        select entries;

    [Theory]
    [InlineData("team-a/app:pull", "team-a/app", Pull)]
    [InlineData("team-a/app:pull", "team-a/app2", RepositoryActions.None)]
    [InlineData("team-a/app:pull", "team-a", RepositoryActions.None)]
    [InlineData("team-a/app:pull", "team-a/app/x", RepositoryActions.None)]
    [InlineData("team-a/app:pull", "x/team-a/app", RepositoryActions.None)]
    [InlineData("team-a/app:push", "team-a/app", PushAndWhatItBrings)]
    [InlineData("team-a/app:delete", "team-a/app", Delete)]
    [InlineData("team-a/app:pull,push", "team-a/app", PushAndWhatItBrings)]
    [InlineData("team-a/app:delete,pull", "team-a/app", Pull | Delete)]
    [InlineData("team-a/**:pull", "team-a/x/y/z", Pull)]
    [InlineData("team-a/**:pull", "team-a", RepositoryActions.None)]
    [InlineData("team-a/*:pull", "team-a/x/y", RepositoryActions.None)]
    [InlineData("team-a/app-*:pull", "team-a/app-web", Pull)]
    [InlineData("team-a/app-*:pull", "team-a/app/web", RepositoryActions.None)]
    [InlineData("**:pull,push,delete", "anything/at/all", PushAndWhatItBrings | Delete)]
    public void ActionsOn_OneEntry_GivesWhatItNames(string entry, string repository, RepositoryActions expected) =>
        Assert.Equal(expected, Parse(entry).ActionsOn(RepositoryName.Parse(repository)));

    [Fact]
    public void ActionsOn_SeveralEntries_UnitesThoseThatMatch()
    {
        var limit = Parse("team-a/**:pull", "team-a/app:delete", "team-b/**:push");

        Assert.Equal(Pull | Delete, limit.ActionsOn(RepositoryName.Parse("team-a/app")));
        Assert.Equal(Pull, limit.ActionsOn(RepositoryName.Parse("team-a/web")));
        Assert.Equal(PushAndWhatItBrings, limit.ActionsOn(RepositoryName.Parse("team-b/web")));
        Assert.Equal(RepositoryActions.None, limit.ActionsOn(RepositoryName.Parse("team-c/web")));
    }

    [Theory]
    [InlineData("team-a", "The scope \"team-a\" names no actions: write it as \"team-a/**:pull,push\".")]
    [InlineData("", "The scope \"\" names no actions: write it as \"team-a/**:pull,push\".")]
    [InlineData(
        ":pull",
        "The scope \":pull\" has no repository pattern. Write a pattern of 1 to 512 characters, such as \"team-a/**\".")]
    [InlineData(
        "Team-A/**:pull",
        "The scope \"Team-A/**:pull\" has no repository pattern. Write it in lower case, as repository names are.")]
    [InlineData(
        "a/:pull",
        "The scope \"a/:pull\" has no repository pattern. Write no empty segment, and no slash at the beginning or "
            + "end.")]
    [InlineData(
        "repository:team-a/app:pull",
        "The scope \"repository:team-a/app:pull\" has no repository pattern. Use only a-z, 0-9, \".\", \"_\", \"-\" "
            + "and \"*\" in a segment; put tags under \"tags\".")]
    [InlineData(
        "users/${subject}/**:pull",
        "The scope \"users/${subject}/**:pull\" names ${subject}: write the user's name instead.")]
    [InlineData("${subject}:pull", "The scope \"${subject}:pull\" names ${subject}: write the user's name instead.")]
    [InlineData("a:", "The scope \"a:\" names the action \"\": the actions are pull, push and delete.")]
    [InlineData("a:pull,", "The scope \"a:pull,\" names the action \"\": the actions are pull, push and delete.")]
    [InlineData(
        "a:pull, push",
        "The scope \"a:pull, push\" names the action \" push\": the actions are pull, push and delete.")]
    [InlineData("a:Pull", "The scope \"a:Pull\" names the action \"Pull\": the actions are pull, push and delete.")]
    [InlineData("a:*", "The scope \"a:*\" names the action \"*\": the actions are pull, push and delete.")]
    [InlineData(
        "a:overwrite",
        "The scope \"a:overwrite\" names the action \"overwrite\": the actions are pull, push and delete.")]
    [InlineData(
        "a:push,overwrite",
        "The scope \"a:push,overwrite\" names the action \"overwrite\": the actions are pull, push and delete.")]
    [InlineData("a:none", "The scope \"a:none\" names the action \"none\": the actions are pull, push and delete.")]
    [InlineData(
        "a:\u001b[2J", "The scope \"a:?[2J\" names the action \"?[2J\": the actions are pull, push and delete.")]
    public void TryParse_NoScope_SaysWhatWouldBeOne(string entry, string expected)
    {
        Assert.False(CredentialLimit.TryParse(["ok/**:pull", entry], out var limit, out var fault));

        Assert.Null(limit);
        Assert.Equal(expected, fault);
    }

    [Fact]
    public void TryParse_TooManyOrNone_IsRefused()
    {
        var most = Enumerable.Range(0, CredentialLimit.MaxEntries).Select(static number => $"a{number}:pull").ToList();
        const string fault = "A token has 1 to 16 scopes, 2048 characters in total.";

        Assert.True(CredentialLimit.TryParse(most, out _, out _));
        Assert.False(CredentialLimit.TryParse([.. most, "b:pull"], out _, out var many));
        Assert.False(CredentialLimit.TryParse([], out _, out var none)); // nothing is not everything
        Assert.Equal(fault, many);
        Assert.Equal(fault, none);
    }

    [Fact]
    public void TryParse_TooLongTogether_IsRefused()
    {
        var quarter = "*" + new string('a', (CredentialLimit.MaxLength / 4) - "*:pull".Length);
        string[] most = [.. Enumerable.Repeat(quarter + ":pull", 4)];

        Assert.True(CredentialLimit.TryParse(most, out _, out _));
        most[3] = "a" + most[3];
        Assert.False(CredentialLimit.TryParse(most, out _, out _));
    }

    [Fact]
    public void ToString_AnyLimit_ReadsBackAsTheSame() => Check(Limits, static texts =>
    {
        var limit = Parse(texts);
        var again = Parse(limit.ToString().Split(' '));

        Assert.Equal(limit, again);
        Assert.Equal(limit.GetHashCode(), again.GetHashCode());
    });

    [Fact]
    public void ActionsOn_AnyLimit_IsNeverMoreThanItsMatchingEntriesGive() => Check(
        from texts in Limits from name in Names select (texts, name),
        static test =>
        {
            var given = RepositoryActions.None;
            foreach (var text in test.texts)
            {
                var colon = text.IndexOf(':', StringComparison.Ordinal);
                if (Matches(text[..colon].Split('/'), test.name.Value.Split('/')))
                {
                    given |= text.Contains("pull", StringComparison.Ordinal) ? Pull : 0;
                    given |= text.Contains("push", StringComparison.Ordinal) ? PushAndWhatItBrings : 0;
                    given |= text.Contains("delete", StringComparison.Ordinal) ? Delete : 0;
                }
            }

            Assert.Equal(given, Parse(test.texts).ActionsOn(test.name));
        });

    [Fact]
    public void ActionsOn_EntryTakenOutOrMoved_NeverGivesMore() => Check(
        from texts in Limits
        from shuffled in Gen.Shuffle(texts)
        from name in Names
        select (texts, shuffled, name),
        static test =>
        {
            var all = Parse(test.texts).ActionsOn(test.name);
            Assert.Equal(all, Parse(test.shuffled).ActionsOn(test.name));
            for (var i = 0; test.texts.Length > 1 && i < test.texts.Length; i++)
            {
                var fewer = Parse([.. test.texts[..i], .. test.texts[(i + 1)..]]).ActionsOn(test.name);
                Assert.Equal(RepositoryActions.None, fewer & ~all);
            }
        });

    [Fact]
    public void TryParse_AnyText_NeverThrows() => Check(
        from text in Gen.Elements(
            ":", ",", "/", "*", "**", "a", "A", "pull", "push", "overwrite", "${subject}", "\0", "é", " ")
            .ListOf().Select(static parts => string.Concat(parts))
        select text,
        static text =>
        {
            if (CredentialLimit.TryParse([text], out var limit, out var fault))
            {
                Assert.Null(fault);
                Assert.DoesNotContain(
                    limit.Entries, static entry => entry.Actions.HasFlag(RepositoryActions.Overwrite));
            }
            else
            {
                Assert.NotEmpty(fault);
                Assert.DoesNotContain(fault, char.IsControl);
            }
        });

    // The simple way a second time, as the policies' oracle does it.
    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> parts)
    {
        if (pattern is ["**"])
        {
            return !parts.IsEmpty;
        }

        if (pattern is ["**", ..])
        {
            return Matches(pattern[1..], parts) || (!parts.IsEmpty && Matches(pattern, parts[1..]));
        }

        return pattern.IsEmpty || parts.IsEmpty
            ? pattern.IsEmpty && parts.IsEmpty
            : GlobMatches(pattern[0], parts[0]) && Matches(pattern[1..], parts[1..]);
    }

    private static bool GlobMatches(ReadOnlySpan<char> glob, ReadOnlySpan<char> text) => glob switch
    {
        [] => text.IsEmpty,
        ['*', .. var rest] => GlobMatches(rest, text) || (!text.IsEmpty && GlobMatches(glob, text[1..])),
        [var first, .. var rest] => !text.IsEmpty && text[0] == first && GlobMatches(rest, text[1..]),
    };

    private static CredentialLimit Parse(params string[] texts) =>
        CredentialLimit.TryParse(texts, out var limit, out var fault) ? limit : throw new FormatException(fault);

    private static void Check<T>(Gen<T> cases, Action<T> body) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(1_000), Prop.ForAll(cases.ToArbitrary(), body));
}
