using System.Text.Json.Serialization;

namespace Gateway.Client.Login;

/// <summary>A person's sign-in to one registry, on their own machine. Prints no secret.</summary>
/// <param name="UserName">The user's name, for display only.</param>
/// <param name="Secret">A refresh token, or the password if the registry issues none.</param>
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
    /// <remarks>With "init" the generated reader would make it null where the file leaves it out.</remarks>
    public Dictionary<string, StoredLogin> Logins { get; set; } = [];
}

/// <summary>
/// The messages between docker and its credential helpers (docker-credential-helpers, "Development").
/// </summary>
/// <param name="ServerURL">The registry.</param>
/// <param name="Username">The user, or <c>&lt;token&gt;</c> if the secret is a refresh token.</param>
/// <param name="Secret">The secret.</param>
internal sealed record HelperCredentials(string ServerURL, string Username, string Secret)
{
    /// <inheritdoc/>
    public override string ToString() => "***";
}

/// <summary>Their JSON form.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(LoginDocument))]
internal sealed partial class LoginJsonContext : JsonSerializerContext;

/// <summary>Their JSON form, as docker's.</summary>
[JsonSerializable(typeof(HelperCredentials))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class HelperJsonContext : JsonSerializerContext;
