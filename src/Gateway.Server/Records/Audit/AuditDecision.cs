namespace Gateway.Server.Records.Audit;

/// <summary>What was decided on a request: the words of the member <c>decision</c>.</summary>
internal static class AuditDecision
{
    /// <summary>It was allowed to have its effect, whatever came of that.</summary>
    public const string Allow = "allow";

    /// <summary>Policy, the credential's limit or the token's scope refused it.</summary>
    public const string Deny = "deny";

    /// <summary>
    /// Answered 401: no credentials, wrong ones, or an anonymous caller who may do this once signed in.
    /// </summary>
    public const string Challenge = "challenge";

    /// <summary>A limit was used up.</summary>
    public const string Limit = "limit";

    /// <summary>Not understood, or not for this gateway: nothing was asked that could be allowed.</summary>
    public const string Refuse = "refuse";

    /// <summary>It could not be decided, or not be done.</summary>
    public const string Error = "error";

    /// <summary>Answered to anyone; nothing was to be decided.</summary>
    public const string Public = "public";

    /// <summary>All of them.</summary>
    public static readonly string[] All = [Allow, Deny, Challenge, Limit, Refuse, Error, Public];
}
