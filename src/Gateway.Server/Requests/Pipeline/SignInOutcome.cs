namespace Gateway.Server.Requests.Pipeline;

/// <summary>How an attempt to sign in ended.</summary>
internal enum SignInOutcome
{
    /// <summary>The credentials are good.</summary>
    Accepted,

    /// <summary>They are wrong, or have expired.</summary>
    Refused,

    /// <summary>Nobody could tell.</summary>
    Undecided,

    /// <summary>Not looked at, after too many failures.</summary>
    Throttled,
}
