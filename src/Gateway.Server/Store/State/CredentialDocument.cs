using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.State;

/// <summary>What never changes of a stored credential, as JSON. Both stores keep it as one value.</summary>
/// <remarks>What changes, and what is searched for, is next to it in fields of its own.</remarks>
internal sealed record CredentialDocument(
    string Kind, string Name, CredentialDocument.OwnerPart Owner, string CreatedBy)
{
    /// <summary>The entries of the limit; absent: no limit.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    public string? Evidence { get; init; }

    public string? Service { get; init; }

    /// <summary>The document of a credential.</summary>
    public static string Write(StoredCredential credential)
    {
        var owner = credential.Owner;
        var document = new CredentialDocument(
            Word(credential.Kind),
            credential.Name,
            new OwnerPart(Word(owner.Kind), owner.Name, owner.Method)
            {
                Groups = owner.Groups.Count > 0 ? owner.Groups : null,
                Claims = owner.Claims.Count > 0 ? owner.Claims : null,
            },
            credential.CreatedBy)
        {
            Scopes = credential.Limit?.Entries.Select(static entry => entry.ToString()).ToArray(),
            Evidence = credential.Evidence,
            Service = credential.Service,
        };
        return JsonSerializer.Serialize(document, StateJsonContext.Default.CredentialDocument);
    }

    /// <summary>The credential again.</summary>
    /// <exception cref="StateException">
    /// Something in it is not understood. Unknown means no: it is not served.
    /// </exception>
    public static StoredCredential Read(string id, string document, CredentialState state)
    {
        try
        {
            var read = JsonSerializer.Deserialize(document, StateJsonContext.Default.CredentialDocument)
                ?? throw new FormatException("the document is null");
            return new StoredCredential
            {
                Id = id,
                Kind = Parse<CredentialKind>(read.Kind),
                Hash = state.Hash,
                Identity = state.Identity,
                Name = read.Name,
                Owner = new Subject
                {
                    Kind = Parse<SubjectKind>(read.Owner.Kind),
                    Name = read.Owner.Name,
                    Method = read.Owner.Method,
                    Groups = read.Owner.Groups ?? [],
                    Claims = read.Owner.Claims?.ToFrozenDictionary() ?? FrozenDictionary<string, string>.Empty,
                },
                Limit = read.Scopes is null ? null : ParseLimit(read.Scopes),
                Evidence = read.Evidence,
                Service = read.Service,
                CreatedBy = read.CreatedBy,
                CreatedAt = Instant(state.CreatedAt),
                ExpiresAt = Instant(state.ExpiresAt),
                KeptUntil = state.KeptUntil is { } kept ? Instant(kept) : null,
                RevokedAt = state.RevokedAt is { } revoked ? Instant(revoked) : null,
                LastUsedAt = state.LastUsedAt is { } used ? Instant(used) : null,
                LastUsedFrom = state.LastUsedFrom is { } address ? IPAddress.Parse(address) : null,
            };
        }
        catch (Exception exception) when (exception is JsonException or FormatException or ArgumentException)
        {
            throw new StateException(
                $"The credential \"{id}\" in the store cannot be read: {exception.Message} "
                + "A newer gateway may have written it.",
                exception);
        }
    }

    /// <summary>An instant as the stores keep it: ticks of UTC, which keeps it exact.</summary>
    public static DateTimeOffset Instant(long ticks) => new(ticks, TimeSpan.Zero);

    /// <summary>A choice as the stores keep it: in words, which outlive a renumbering.</summary>
    public static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <exception cref="FormatException">There is no such choice.</exception>
    public static T Parse<T>(string word)
        where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (Word(value) == word)
            {
                return value;
            }
        }

        throw new FormatException(
            string.Create(CultureInfo.InvariantCulture, $"there is no {typeof(T).Name} \"{word}\"."));
    }

    private static CredentialLimit ParseLimit(IReadOnlyList<string> scopes) =>
        CredentialLimit.TryParse([.. scopes], out var limit, out var fault) ? limit : throw new FormatException(fault);

    /// <summary>Whose it is.</summary>
    internal sealed record OwnerPart(string Kind, string Name, string Method)
    {
        public IReadOnlyList<string>? Groups { get; init; }

        public IReadOnlyDictionary<string, string>? Claims { get; init; }
    }
}

/// <summary>What is next to a document. Instants are ticks of UTC.</summary>
internal readonly record struct CredentialState(
    SecretHash Hash,
    SecretHash? Identity,
    long CreatedAt,
    long ExpiresAt,
    long? KeptUntil,
    long? RevokedAt,
    long? LastUsedAt,
    string? LastUsedFrom);

/// <summary>The documents' wire format.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    // a limit of a kind not known here must not be passed over
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(CredentialDocument))]
internal sealed partial class StateJsonContext : JsonSerializerContext;
