namespace Gateway.Server.SignIn.Sessions;

/// <summary>How long people stay signed in in the browser.</summary>
public sealed class BrowserSessionOptions
{
    /// <summary>How long a session goes on without being used: 5 minutes to 30 days.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromHours(2);

    /// <summary>How long it goes on in any case: 5 minutes to 30 days.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(12);
}
