using System.Collections.Immutable;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Core.Tokens;

/// <summary>
/// What a token request asks for, or what an access token was granted: repositories with actions, and the catalog.
/// </summary>
/// <remarks>Grammar: Distribution, "Token Scope Documentation". Each repository is in it once.</remarks>
public sealed class AccessScope
{
    /// <summary>The most repositories one token names; further ones are dropped, which grants less.</summary>
    public const int MaxRepositories = 64;

    /// <summary>The most characters of repository names in one token: it has to fit into a header.</summary>
    public const int MaxLength = 4096;

    /// <summary>Nothing.</summary>
    public static readonly AccessScope Empty = new([], catalog: false);

    private AccessScope(ImmutableArray<RepositoryScope> repositories, bool catalog)
    {
        Repositories = repositories;
        Catalog = catalog;
    }

    /// <summary>The repositories, in the order asked. On the wire <c>push</c> means overwrite too.</summary>
    public ImmutableArray<RepositoryScope> Repositories { get; }

    /// <summary>Whether <c>registry:catalog:*</c> is in it.</summary>
    public bool Catalog { get; }

    /// <summary>Whether it names nothing at all.</summary>
    public bool IsEmpty => Repositories.IsEmpty && !Catalog;

    /// <summary>
    /// Puts a scope together; actions on one repository are united, what is beyond the limits is dropped.
    /// </summary>
    public static AccessScope Create(IEnumerable<RepositoryScope> repositories, bool catalog)
    {
        var united = ImmutableArray.CreateBuilder<RepositoryScope>();
        var length = 0;
        foreach (var item in repositories)
        {
            var index = united.FindIndex(item.Repository);
            if (index >= 0)
            {
                united[index] = item with { Actions = united[index].Actions | item.Actions };
            }
            else if (united.Count < MaxRepositories && length + item.Repository.Value.Length <= MaxLength)
            {
                length += item.Repository.Value.Length;
                united.Add(item);
            }
        }

        return united.Count == 0 && !catalog ? Empty : new AccessScope(united.ToImmutable(), catalog);
    }

    /// <summary>
    /// The actions on a repository, with those that an action brings along; none where it is not named.
    /// </summary>
    public RepositoryActions ActionsOn(RepositoryName repository)
    {
        foreach (var item in Repositories)
        {
            if (item.Repository == repository)
            {
                return ActionNames.Granted(item.Actions);
            }
        }

        return RepositoryActions.None;
    }

    /// <summary>Whether this grants all that was asked for.</summary>
    public bool Covers(AccessScope asked)
    {
        foreach (var (repository, actions) in asked.Repositories)
        {
            // Overwrite is no word of the wire: what moves a tag is asked for as push.
            if ((actions & ~RepositoryActions.Overwrite & ~ActionsOn(repository)) != RepositoryActions.None)
            {
                return false;
            }
        }

        return Catalog || !asked.Catalog;
    }

    /// <summary>As on the wire: <c>repository:team/app:pull,push registry:catalog:*</c>; empty for nothing.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var item in Repositories)
        {
            text.Append(text.Length == 0 ? "" : " ").Append(item);
        }

        return Catalog
            ? text.Append(text.Length == 0 ? "" : " ").Append("registry:catalog:*").ToString()
            : text.ToString();
    }
}

/// <summary>One repository of a scope.</summary>
/// <param name="Repository">By its public name.</param>
/// <param name="Actions">The actions asked or granted.</param>
public readonly record struct RepositoryScope(RepositoryName Repository, RepositoryActions Actions)
{
    /// <summary>As on the wire: <c>repository:team/app:pull,push</c>.</summary>
    public override string ToString() => $"repository:{Repository}:{string.Join(',', WireActions)}";

    /// <summary>The actions that tokens know: pull, push, delete. Overwrite is policy's own, part of push.</summary>
    public IEnumerable<string> WireActions => ActionNames.Of(Actions & ~RepositoryActions.Overwrite);
}

file static class ImmutableArrayBuilderExtensions
{
    public static int FindIndex(this ImmutableArray<RepositoryScope>.Builder items, RepositoryName repository)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (items[i].Repository == repository)
            {
                return i;
            }
        }

        return -1;
    }
}
