using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Gateway.Core.Registry;

namespace Gateway.Core.Authorization;

/// <summary>
/// What a personal access token or robot token may do at most: repositories by pattern, each with actions.
/// </summary>
/// <remarks>
/// Written as <c>team-a/**:pull,push</c>. It grants nothing: rights are this and policy, whichever is less.
/// </remarks>
public sealed record CredentialLimit
{
    /// <summary>The most entries a limit has. The whole limit travels in access tokens.</summary>
    public const int MaxEntries = 16;

    /// <summary>The most characters of all entries together.</summary>
    public const int MaxLength = 2048;

    private CredentialLimit(ImmutableArray<Entry> entries) => Entries = entries;

    /// <summary>The entries, as given.</summary>
    public ImmutableArray<Entry> Entries { get; }

    /// <summary>Reads a limit.</summary>
    /// <param name="texts">Entries such as <c>team-a/**:pull,push</c>; actions are those of policies.</param>
    /// <param name="limit">The limit, or <see langword="null"/>.</param>
    /// <param name="fault">What is wrong with which entry and what would be right, as a sentence.</param>
    public static bool TryParse(
        IReadOnlyCollection<string> texts,
        [NotNullWhen(true)] out CredentialLimit? limit,
        [NotNullWhen(false)] out string? fault)
    {
        limit = null;
        if (texts.Count is 0 or > MaxEntries || texts.Sum(static text => text.Length) > MaxLength)
        {
            fault = $"A token has 1 to {MaxEntries} scopes, {MaxLength} characters in total.";
            return false;
        }

        var entries = ImmutableArray.CreateBuilder<Entry>(texts.Count);
        foreach (var text in texts)
        {
            if (!Entry.TryParse(text, out var entry, out fault))
            {
                return false;
            }

            entries.Add(entry);
        }

        limit = new CredentialLimit(entries.MoveToImmutable());
        fault = null;
        return true;
    }

    /// <summary>The actions allowed at most on a repository, with those that an action brings along.</summary>
    /// <param name="repository">The repository, by its public name.</param>
    public RepositoryActions ActionsOn(RepositoryName repository)
    {
        var actions = RepositoryActions.None;
        foreach (var entry in Entries)
        {
            if (entry.Pattern.Matches(repository, subjectSegment: null))
            {
                actions |= ActionNames.Granted(entry.Actions);
            }
        }

        return actions;
    }

    /// <summary>Equality by value of the entries.</summary>
    public bool Equals(CredentialLimit? other) => other is not null && Entries.SequenceEqual(other.Entries);

    /// <inheritdoc/>
    public override int GetHashCode() => Entries.Aggregate(0, HashCode.Combine);

    /// <summary>The entries as given, separated by spaces.</summary>
    public override string ToString() => string.Join(' ', Entries);

    /// <summary>Repositories by pattern, and what may be done to them.</summary>
    public sealed record Entry
    {
        private Entry(RepositoryPattern pattern, RepositoryActions actions)
        {
            Pattern = pattern;
            Actions = actions;
        }

        /// <summary>Which repositories.</summary>
        public RepositoryPattern Pattern { get; }

        /// <summary>The actions as given.</summary>
        public RepositoryActions Actions { get; }

        /// <summary>Equality by value.</summary>
        public bool Equals(Entry? other) =>
            other is not null && Pattern.Text == other.Pattern.Text && Actions == other.Actions;

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(Pattern.Text, Actions);

        /// <summary>As given: <c>team-a/**:pull,push</c>.</summary>
        public override string ToString() => $"{Pattern.Text}:{string.Join(',', ActionNames.Of(Actions))}";

        internal static bool TryParse(
            string text, [NotNullWhen(true)] out Entry? entry, [NotNullWhen(false)] out string? fault)
        {
            entry = null;
            var colon = text.LastIndexOf(':');
            if (colon < 0)
            {
                fault = $"The scope {QuotedInput.Of(text)} names no actions: write it as \"team-a/**:pull,push\".";
                return false;
            }

            if (!RepositoryPattern.TryParse(text[..colon], out var pattern, out var fix))
            {
                fault = $"The scope {QuotedInput.Of(text)} has no repository pattern. {fix}";
                return false;
            }

            // ${subject} would mean another repository once a token changes hands; a limit says what it means.
            if (pattern.Text.Contains(RepositoryPattern.SubjectPlaceholder, StringComparison.Ordinal))
            {
                fault = $"The scope {QuotedInput.Of(text)} names {RepositoryPattern.SubjectPlaceholder}: "
                    + "write the user's name instead.";
                return false;
            }

            var actions = RepositoryActions.None;
            foreach (var name in text[(colon + 1)..].Split(','))
            {
                if (!ActionNames.TryParse(name, out var action) || action == RepositoryActions.Overwrite)
                {
                    fault = $"The scope {QuotedInput.Of(text)} names the action {QuotedInput.Of(name)}: "
                        + "the actions are pull, push and delete.";
                    return false;
                }

                actions |= action;
            }

            entry = new Entry(pattern, actions);
            fault = null;
            return true;
        }
    }
}
