namespace Gateway.Server.SignIn.Sessions;

/// <summary>How long a browser session lasts.</summary>
public sealed class BrowserSessionOptions
{
    /// <summary>How long a session lasts without being used: 5 minutes to 30 days.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromHours(2);

    /// <summary>How long a session lasts in any case: 5 minutes to 30 days.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(12);
}
