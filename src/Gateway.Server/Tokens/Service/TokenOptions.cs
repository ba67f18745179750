using Gateway.Server.Store.Keys;

namespace Gateway.Server.Tokens.Service;

/// <summary>Access tokens, refresh tokens, and the tokens that people and robots sign in with.</summary>
public sealed class TokenOptions
{
    /// <summary>The longest lifetime of an access token that can be configured.</summary>
    internal static readonly TimeSpan LongestLifetime = TimeSpan.FromHours(1);

    /// <summary>The longest <see cref="UploadWindow"/> that can be configured.</summary>
    internal static readonly TimeSpan LongestUploadWindow = TimeSpan.FromHours(24);

    /// <summary>
    /// Lifetime of an access token: 1 minute to 1 hour. It never outlives the credential it was issued for.
    /// </summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How access tokens are signed.</summary>
    public SigningAlgorithm Algorithm { get; set; } = SigningAlgorithm.ES256;

    /// <summary>The keys that sign them.</summary>
    public SigningKeyOptions Keys { get; set; } = new();

    /// <summary>
    /// Whether <c>docker login</c> gets a refresh token, which it stores instead of the password.
    /// </summary>
    public bool RefreshTokens { get; set; }

    /// <summary>Lifetime of a refresh token: 1 hour to 365 days.</summary>
    public TimeSpan RefreshTokenLifetime { get; set; } = TimeSpan.FromDays(90);

    /// <summary>
    /// How long an upload may continue with an expired access token, counted from its last request with a valid
    /// one: zero (not at all) to 24 hours.
    /// </summary>
    public TimeSpan UploadWindow { get; set; } = TimeSpan.FromHours(6);

    /// <summary>Default lifetime of a personal access token or robot token: 1 hour to the maximum.</summary>
    public TimeSpan DefaultCredentialLifetime { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Maximum lifetime of a personal access token or robot token: 1 hour to 3650 days.</summary>
    public TimeSpan MaximumCredentialLifetime { get; set; } = TimeSpan.FromDays(365);

    /// <summary>
    /// Who may create robot tokens with the API, and see and revoke everyone's tokens: <c>user:admin</c>,
    /// <c>group:platform</c>. No one, unless set; the command line does not need it.
    /// </summary>
    public List<string> Administrators { get; set; } = [];
}
