namespace Gateway.Core.RateLimiting;

/// <summary>What limits tell apart. A request belongs to one class, or to none and is then never limited.</summary>
[Flags]
public enum RequestClasses
{
    /// <summary>Not limited: a ping, a step of a started upload.</summary>
    None = 0,

    /// <summary>Reading a manifest, as each pull of an image does once a platform. HEAD is free.</summary>
    Pull = 1,

    /// <summary>
    /// What begins a change: starting an upload, putting a manifest, deleting. An upload that is cancelled is given
    /// back.
    /// </summary>
    Push = 2,

    /// <summary>Reading blobs, tag lists and referrers.</summary>
    Read = 4,

    /// <summary>Listing repositories.</summary>
    Catalog = 8,

    /// <summary>Asking the token endpoint.</summary>
    Token = 16,

    /// <summary>A failed sign-in. Counted apart: see <see cref="FailureBudget"/>.</summary>
    SignInFailure = 32,
}
