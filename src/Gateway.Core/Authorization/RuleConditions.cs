using System.Collections.Immutable;
using System.Net;

namespace Gateway.Core.Authorization;

/// <summary>What must also be true for a rule to apply (<c>when</c>). All of it; empty parts ask nothing.</summary>
public sealed record RuleConditions
{
    /// <summary>No conditions.</summary>
    public static readonly RuleConditions None = new();

    /// <summary>Networks the client's address must be in one of.</summary>
    public ImmutableArray<IPNetwork> Addresses { get; init; } = [];

    /// <summary>When.</summary>
    public TimeWindow? Time { get; init; }

    /// <summary>Methods that proved the caller, such as <c>htpasswd</c> or <c>ldap:*</c>; one of them.</summary>
    public ImmutableArray<Glob> Methods { get; init; } = [];

    /// <summary>Claims the caller must have.</summary>
    public ImmutableArray<ClaimCondition> Claims { get; init; } = [];

    internal bool AreNone => Addresses.IsEmpty && Time is null && Methods.IsEmpty && Claims.IsEmpty;

    internal bool Hold(in AccessRequest request, bool missingClaimMatches) =>
        AddressHolds(request.ClientAddress)
        && (Time is null || Time.Contains(request.Time))
        && MethodHolds(request.Subject.Method)
        && ClaimsHold(request.Subject, missingClaimMatches);

    internal bool AddressHolds(IPAddress address)
    {
        foreach (var network in Addresses)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return Addresses.IsEmpty;
    }

    internal bool MethodHolds(string method)
    {
        foreach (var glob in Methods)
        {
            if (glob.Matches(method))
            {
                return true;
            }
        }

        return Methods.IsEmpty;
    }

    internal bool ClaimsHold(Subject subject, bool missingClaimMatches)
    {
        foreach (var claim in Claims)
        {
            if (!claim.Holds(subject, missingClaimMatches))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>One claim and the values it may have.</summary>
/// <param name="Name">The claim's name, case-sensitive.</param>
/// <param name="Values">Values, any of which will do; at least one.</param>
public sealed record ClaimCondition(string Name, ImmutableArray<Glob> Values)
{
    internal bool Holds(Subject subject, bool missingMatches)
    {
        if (!subject.Claims.TryGetValue(Name, out var value))
        {
            // A deny must not be walked around by a credential that leaves the claim out; an allow must not be
            // reached by one.
            return missingMatches;
        }

        foreach (var glob in Values)
        {
            if (glob.Matches(value))
            {
                return true;
            }
        }

        return false;
    }
}
