namespace Gateway.Core.Authorization;

/// <summary>All policies in force, compiled into an index: one immutable value, replaced whole by a reload.</summary>
public sealed class PolicySet
{
    private static readonly AccessDecision NoRule = new(false, null, RepositoryActions.None);

    /// <summary>The policy of no files: nobody may do anything.</summary>
    public static readonly PolicySet Empty = new();

    private readonly AccessDecision _none = NoRule;

    /// <summary>Decides. Any matching deny refuses; else any matching allow grants; else refused.</summary>
    public AccessDecision Evaluate(in AccessRequest request) => _none with { Missing = request.Actions };
}
