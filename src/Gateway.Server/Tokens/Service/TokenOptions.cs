using Gateway.Server.Store.Keys;

namespace Gateway.Server.Tokens.Service;

/// <summary>Access tokens, refresh tokens, and the tokens that people and robots sign in with.</summary>
public sealed class TokenOptions
{
    /// <summary>The longest life of an access token that can be configured.</summary>
    internal static readonly TimeSpan LongestLifetime = TimeSpan.FromHours(1);

    /// <summary>The longest <see cref="UploadWindow"/> that can be configured.</summary>
    internal static readonly TimeSpan LongestUploadWindow = TimeSpan.FromHours(24);

    /// <summary>Life of an access token: 1 minute to 1 hour. It never outlives the credential it was issued for.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How access tokens are signed.</summary>
    public SigningAlgorithm Algorithm { get; set; } = SigningAlgorithm.ES256;

    /// <summary>The keys that sign them.</summary>
    public SigningKeyOptions Keys { get; set; } = new();

    /// <summary>
    /// Whether <c>docker login</c> is given a refresh token, so that it stores that instead of the password.
    /// </summary>
    public bool RefreshTokens { get; set; }

    /// <summary>Life of a refresh token: 1 hour to 365 days.</summary>
    public TimeSpan RefreshTokenLifetime { get; set; } = TimeSpan.FromDays(90);

    /// <summary>
    /// How long an upload may go on with an access token that has expired, counted from its last request with a good
    /// one: zero (not at all) to 24 hours.
    /// </summary>
    public TimeSpan UploadWindow { get; set; } = TimeSpan.FromHours(6);

    /// <summary>Life of a personal access token or robot token, unless its maker says otherwise: 1 hour to the greatest.</summary>
    public TimeSpan DefaultCredentialLifetime { get; set; } = TimeSpan.FromDays(90);

    /// <summary>Greatest life of a personal access token or robot token: 1 hour to 3650 days.</summary>
    public TimeSpan MaximumCredentialLifetime { get; set; } = TimeSpan.FromDays(365);

    /// <summary>
    /// Who may make robot tokens over the API, and see and revoke everybody's tokens: <c>user:admin</c>,
    /// <c>group:platform</c>. Nobody, unless set; the command line needs none of this.
    /// </summary>
    public List<string> Administrators { get; set; } = [];
}
