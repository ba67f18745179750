using Gateway.Foundation.Configuration;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>
/// How many requests and failed sign-ins are allowed. Counted in Redis if there is a section <c>redis</c>.
/// </summary>
public sealed class LimitOptions
{
    /// <summary>
    /// The limits. All limits that apply to a request must allow it; it draws on all of them or on none. Changes take
    /// effect within two seconds, without a restart.
    /// </summary>
    public List<LimitRuleOptions> Rules { get; set; } = [];

    /// <summary>
    /// Longest wait of a request for Redis: 5 milliseconds to 10 seconds. After that, this process counts the limits
    /// itself until Redis answers again.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(50);
}

/// <summary>One limit.</summary>
public sealed class LimitRuleOptions
{
    /// <summary>The name in error messages and in the audit trail: lower-case letters, digits and dashes.</summary>
    [RequiredSetting]
    public string Name { get; set; } = "";

    /// <summary>
    /// Whose requests it counts, as in policies: <c>user:NAME</c>, <c>robot:NAME</c>, <c>group:NAME</c>,
    /// <c>issuer:NAME</c>, <c>authenticated</c>, <c>anonymous</c> or <c>everyone</c> (the default).
    /// </summary>
    public List<string> To { get; set; } = [];

    /// <summary>
    /// Which requests it counts: <c>pull</c> (reading a manifest; HEAD is free), <c>push</c> (starting an upload that
    /// is not cancelled, putting a manifest, deleting), <c>read</c> (blobs, tag lists, referrers), <c>catalog</c>,
    /// <c>token</c>, or, alone, <c>signInFailure</c> (a failed sign-in).
    /// </summary>
    [RequiredSetting]
    public List<LimitClass> Classes { get; set; } = [];

    /// <summary>
    /// What has a budget of its own: each <c>caller</c> (the subject, or the address of a caller who is not signed in;
    /// the default), <c>subject</c>, <c>address</c> (IPv6 by its /64), <c>repository</c>, or a combination of these; or
    /// <c>everyone</c>, who then share one budget.
    /// </summary>
    public List<LimitPartition> Per { get; set; } = [];

    /// <summary>The repositories, as in policies: <c>team-a/**</c>. All by default.</summary>
    public List<string> Repositories { get; set; } = [];

    /// <summary>How many requests are allowed in each window: 1 to 1,000,000.</summary>
    [RequiredSetting]
    public int Rate { get; set; }

    /// <summary>The window: 1 second to 31 days. The budget refills evenly, not at the end of the window.</summary>
    [RequiredSetting]
    public TimeSpan Window { get; set; }

    /// <summary>How many requests are allowed at once: 1 to 1,000,000; by default as many as <c>rate</c>.</summary>
    public int? Burst { get; set; }
}

/// <summary>The classes of requests that limits tell apart.</summary>
public enum LimitClass
{
    /// <summary>Reading a manifest.</summary>
    Pull,

    /// <summary>Starting a change.</summary>
    Push,

    /// <summary>Reading blobs, tag lists and referrers.</summary>
    Read,

    /// <summary>Listing repositories.</summary>
    Catalog,

    /// <summary>Asking the token endpoint.</summary>
    Token,

    /// <summary>A failed sign-in.</summary>
    SignInFailure,
}

/// <summary>What budgets are counted by.</summary>
public enum LimitPartition
{
    /// <summary>Subjects, and addresses of those who are not signed in.</summary>
    Caller,

    /// <summary>Subjects.</summary>
    Subject,

    /// <summary>Addresses.</summary>
    Address,

    /// <summary>Repositories.</summary>
    Repository,

    /// <summary>Nothing: one budget for all.</summary>
    Everyone,
}
