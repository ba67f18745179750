using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Core.Authorization;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.Identities;

/// <summary>
/// What is kept of a person that a provider confirmed: whose name it is, and what the provider said last. It outlives
/// the session, since the person's tokens do.
/// </summary>
internal sealed record StoredIdentity
{
    /// <summary>The provider's method: <c>oidc:keycloak</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The name here; one person's only.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// <c>sub</c>: whom the provider means. Names are given to somebody else after a renaming; this never is (OpenID
    /// Connect Core, section 5.7).
    /// </summary>
    public required string ProviderSubject { get; init; }

    public IReadOnlyList<string> Groups { get; init; } = [];

    public IReadOnlyDictionary<string, string> Claims { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>The last sign-in in the browser.</summary>
    public required DateTimeOffset SignedInAt { get; init; }

    /// <summary>When the provider last confirmed the person.</summary>
    public required DateTimeOffset ValidatedAt { get; init; }

    /// <summary>The provider's refresh token, encrypted; <see langword="null"/> where it gave none.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>
    /// Why the provider no longer confirms the person; <see langword="null"/> while it does. A new sign-in restores it.
    /// </summary>
    public string? Ended { get; init; }

    /// <summary>
    /// Until when a replica has the provider asked: a refresh token that is presented twice is revoked, at providers
    /// that rotate them.
    /// </summary>
    public DateTimeOffset? AskedUntil { get; init; }

    /// <summary>Changes with each writing; 0: not written yet.</summary>
    [JsonIgnore]
    public long Version { get; init; }

    /// <summary>
    /// The version of the next writing. The first is random: a reader that still holds a forgotten one must not find
    /// its version again in the record of the account that has the name now.
    /// </summary>
    public long NextVersion() => Version == 0 ? RandomNumberGenerator.GetInt32(1, int.MaxValue) * 1024L : Version + 1;

    /// <summary>The subject that policy sees.</summary>
    public Subject ToSubject() => new()
    {
        Kind = SubjectKind.User,
        Name = Name,
        Method = Method,
        Groups = Groups,
        Claims = Claims.ToFrozenDictionary(),
    };

    /// <summary>As the stores keep it.</summary>
    public string Write() => JsonSerializer.Serialize(this, IdentityJsonContext.Default.StoredIdentity);

    /// <summary>Again.</summary>
    /// <exception cref="StateException">It is not understood.</exception>
    public static StoredIdentity Read(string document, long version)
    {
        try
        {
            return JsonSerializer.Deserialize(document, IdentityJsonContext.Default.StoredIdentity)! with
            {
                Version = version,
            };
        }
        catch (JsonException exception)
        {
            throw new StateException(
                $"An identity in the store cannot be read: {exception.Message} A newer gateway may have written it.",
                exception);
        }
    }

    /// <summary>Never the token.</summary>
    public override string ToString() => $"{Method} {Name}";
}

/// <summary>How they are written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(StoredIdentity))]
internal sealed partial class IdentityJsonContext : JsonSerializerContext;
