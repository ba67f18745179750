namespace Gateway.Core.Authorization;

/// <summary>Actions by the names that policies and people use, and what one action brings with it.</summary>
public static class ActionNames
{
    /// <summary>Every action.</summary>
    public const RepositoryActions All =
        RepositoryActions.Pull | RepositoryActions.Push | RepositoryActions.Overwrite | RepositoryActions.Delete;

    private static readonly (string Name, RepositoryActions Action)[] Known =
    [
        ("pull", RepositoryActions.Pull),
        ("push", RepositoryActions.Push),
        ("overwrite", RepositoryActions.Overwrite),
        ("delete", RepositoryActions.Delete),
    ];

    /// <summary>The names, weakest action first: <c>pull</c>, <c>push</c>, <c>overwrite</c>, <c>delete</c>.</summary>
    public static IEnumerable<string> Names => Known.Select(static known => known.Name);

    /// <summary>Reads one name, such as <c>push</c>; case-sensitive.</summary>
    public static bool TryParse(string text, out RepositoryActions action)
    {
        action = Array.Find(Known, known => known.Name == text).Action;
        return action != RepositoryActions.None;
    }

    /// <summary>The names of the actions in a set, weakest first.</summary>
    public static IEnumerable<string> Of(RepositoryActions actions) =>
        Known.Where(known => (actions & known.Action) != 0).Select(static known => known.Name);

    /// <summary>The actions as people read them: <c>pull, push</c>; <c>nothing</c> for none.</summary>
    public static string Format(RepositoryActions actions) =>
        (actions & All) == RepositoryActions.None ? "nothing" : string.Join(", ", Of(actions));

    /// <summary>What a grant of these actions gives: push brings pull and overwrite.</summary>
    internal static RepositoryActions Granted(RepositoryActions actions) => (actions & RepositoryActions.Push) == 0
        ? actions & ~RepositoryActions.Overwrite // a tag cannot be moved without pushing
        : actions | RepositoryActions.Pull | RepositoryActions.Overwrite;

    /// <summary>
    /// What a deny of these actions takes: the grant's rule read backwards, pull takes push, push takes overwrite.
    /// </summary>
    internal static RepositoryActions Denied(RepositoryActions actions)
    {
        if ((actions & RepositoryActions.Pull) != 0)
        {
            actions |= RepositoryActions.Push;
        }

        return (actions & RepositoryActions.Push) == 0 ? actions : actions | RepositoryActions.Overwrite;
    }

    /// <summary>The one strongest action of a set.</summary>
    internal static RepositoryActions Strongest(RepositoryActions actions)
    {
        for (var i = Known.Length - 1; i >= 0; i--)
        {
            if ((actions & Known[i].Action) != 0)
            {
                return Known[i].Action;
            }
        }

        return RepositoryActions.None;
    }
}
