using System.Text.Json.Serialization;

namespace Gateway.Client.Login;

/// <summary>What a person signed in with at one registry, on his own machine. Prints no secret.</summary>
/// <param name="UserName">Who; for people only.</param>
/// <param name="Secret">A refresh token, or the password where the registry gives none.</param>
/// <param name="IsRefreshToken">Which of the two.</param>
internal sealed record StoredLogin(string UserName, string Secret, bool IsRefreshToken)
{
    /// <inheritdoc/>
    public override string ToString() => UserName;
}

/// <summary>The file of logins.</summary>
internal sealed record LoginDocument
{
    /// <summary>By registry, as docker names it: <c>registry.example.com:8443</c>.</summary>
    public Dictionary<string, StoredLogin> Logins { get; init; } = [];
}

/// <summary>What docker and its credential helpers say to each other (docker-credential-helpers, "Development").</summary>
/// <param name="ServerURL">The registry.</param>
/// <param name="Username">The user, or <c>&lt;token&gt;</c> where the secret is a refresh token.</param>
/// <param name="Secret">The secret.</param>
internal sealed record HelperCredentials(string ServerURL, string Username, string Secret)
{
    /// <inheritdoc/>
    public override string ToString() => "***";
}

/// <summary>How they are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LoginDocument))]
internal sealed partial class LoginJsonContext : JsonSerializerContext;

/// <summary>How docker writes them.</summary>
[JsonSerializable(typeof(HelperCredentials))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class HelperJsonContext : JsonSerializerContext;
