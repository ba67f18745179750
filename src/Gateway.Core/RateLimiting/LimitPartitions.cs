namespace Gateway.Core.RateLimiting;

/// <summary>Who has a budget of their own. None: all whom the rule picks share one.</summary>
[Flags]
public enum LimitPartitions
{
    /// <summary>One budget for all.</summary>
    None = 0,

    /// <summary>Each subject; for failed sign-ins each account, whether it exists or not.</summary>
    Subject = 1,

    /// <summary>Each IPv4 address and each IPv6 network of 64 bits, which is what one customer has.</summary>
    Address = 2,

    /// <summary>Each repository.</summary>
    Repository = 4,

    /// <summary>Each subject that is signed in, and each address of callers who are not.</summary>
    Caller = 8,
}
