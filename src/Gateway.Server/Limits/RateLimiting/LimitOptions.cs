using Gateway.Foundation.Configuration;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>How often callers may ask, and guess passwords. Counted in Redis where the section <c>redis</c> is there.</summary>
public sealed class LimitOptions
{
    /// <summary>
    /// The limits. All that apply to a request must allow it, and it draws on all of them or on none. Changes are in force
    /// within two seconds, without a restart.
    /// </summary>
    public List<LimitRuleOptions> Rules { get; set; } = [];

    /// <summary>
    /// Longest wait of a request for Redis: 5 milliseconds to 10 seconds. Beyond it the limits are counted in this process
    /// until Redis answers again.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMilliseconds(50);
}

/// <summary>One limit.</summary>
public sealed class LimitRuleOptions
{
    /// <summary>Its name in answers and records: lower-case letters, digits and dashes.</summary>
    [RequiredSetting]
    public string Name { get; set; } = "";

    /// <summary>
    /// Whose requests it counts, as in policies: <c>user:NAME</c>, <c>robot:NAME</c>, <c>group:NAME</c>,
    /// <c>issuer:NAME</c>, <c>authenticated</c>, <c>anonymous</c> or <c>everyone</c>, which is meant where nothing is
    /// written.
    /// </summary>
    public List<string> To { get; set; } = [];

    /// <summary>
    /// Which requests it counts: <c>pull</c> (reading a manifest; HEAD is free), <c>push</c> (starting an upload that is not
    /// cancelled, putting a manifest, deleting), <c>read</c> (blobs, tag lists, referrers), <c>catalog</c>, <c>token</c>,
    /// or, alone, <c>signInFailure</c> (a wrong password).
    /// </summary>
    [RequiredSetting]
    public List<LimitClass> Classes { get; set; } = [];

    /// <summary>
    /// Who has a budget of his own: each <c>caller</c> (the subject, or the address of who is not signed in; meant where
    /// nothing is written), <c>subject</c>, <c>address</c> (IPv6 by its /64), <c>repository</c>, also several together; or
    /// <c>everyone</c> shares one.
    /// </summary>
    public List<LimitPartition> Per { get; set; } = [];

    /// <summary>On which repositories, as in policies: <c>team-a/**</c>. All where nothing is written.</summary>
    public List<string> Repositories { get; set; } = [];

    /// <summary>How many requests come back in each window: 1 to 1,000,000.</summary>
    [RequiredSetting]
    public int Rate { get; set; }

    /// <summary>The window: 1 second to 31 days. It comes back evenly, not at its end.</summary>
    [RequiredSetting]
    public TimeSpan Window { get; set; }

    /// <summary>How many may come at once: 1 to 1,000,000; as many as <c>rate</c> where nothing is written.</summary>
    public int? Burst { get; set; }
}

/// <summary>The classes of requests that limits tell apart.</summary>
public enum LimitClass
{
    /// <summary>Reading a manifest.</summary>
    Pull,

    /// <summary>Beginning a change.</summary>
    Push,

    /// <summary>Reading blobs, tag lists and referrers.</summary>
    Read,

    /// <summary>Listing repositories.</summary>
    Catalog,

    /// <summary>Asking the token endpoint.</summary>
    Token,

    /// <summary>A wrong password.</summary>
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
