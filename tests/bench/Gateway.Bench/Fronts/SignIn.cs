namespace Gateway.Bench.Fronts;

/// <summary>How callers of a front identify themselves.</summary>
internal enum SignIn
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>With a password in each request.</summary>
    Basic,

    /// <summary>With an access token, which the front issues.</summary>
    Bearer,
}
