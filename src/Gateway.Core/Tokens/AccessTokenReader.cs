using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Core.Tokens;

/// <summary>Reads the payload of access tokens, exactly as <see cref="AccessTokenWriter"/> writes it.</summary>
public static class AccessTokenReader
{
    // The claims, the list of access, one entry of it, its actions.
    private const int Depth = 4;

    /// <summary>Reads claims.</summary>
    /// <param name="utf8">A payload whose signature is good.</param>
    /// <param name="claims">The claims, with their <see cref="AccessTokenClaims.Holder"/>.</param>
    /// <returns>
    /// <see langword="false"/> for anything that the writer would not have written to the byte: unknown, repeated and
    /// missing members, other types, white space, other spellings of a number, a token for an upstream. Never throws.
    /// </returns>
    /// <remarks>
    /// An unknown member may be a restriction that a newer version writes; to pass over it would lift the restriction.
    /// </remarks>
    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out AccessTokenClaims? claims)
    {
        try
        {
            claims = Read(utf8);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            claims = null; // it was signed by us, so this is no way to make us work
            return false;
        }

        if (!AccessTokenWriter.Write(claims).Span.SequenceEqual(utf8))
        {
            claims = null;
        }

        return claims is not null;
    }

    private static AccessTokenClaims Read(ReadOnlySpan<byte> utf8)
    {
        var json = new OrderedJsonReader(utf8, Depth);
        json.Take(JsonTokenType.StartObject);
        var issuer = json.TakeString("iss"u8);
        var name = json.TakeString("sub"u8);
        var audience = json.TakeString("aud"u8);
        var expiresAt = json.TakeTime("exp"u8);
        _ = json.TakeTime("nbf"u8); // follows from iat, as the comparison of the whole shows
        var issuedAt = json.TakeTime("iat"u8);
        var id = json.TakeString("jti"u8);
        var access = ReadAccess(ref json);
        var holder = ReadHolder(ref json, name) with { Scope = access, IssuedAt = issuedAt, ExpiresAt = expiresAt };
        DateTimeOffset? end = json.IsAt("end"u8) ? json.TakeTime("end"u8) : null;
        json.Take(JsonTokenType.EndObject);
        json.End();
        return new AccessTokenClaims
        {
            Issuer = issuer,
            SubjectName = name,
            Audience = audience,
            ExpiresAt = expiresAt,
            IssuedAt = issuedAt,
            Id = id,
            Access = access,
            Holder = holder,
            CredentialExpiresAt = end,
        };
    }

    private static AccessScope ReadAccess(ref OrderedJsonReader json)
    {
        var repositories = new List<RepositoryScope>();
        var catalog = false;
        json.Take("access"u8);
        json.Take(JsonTokenType.StartArray);
        while (!json.IsAt(JsonTokenType.EndArray))
        {
            json.Take(JsonTokenType.StartObject);
            var type = json.TakeString("type"u8);
            var name = json.TakeString("name"u8);
            var actions = json.TakeStringsIfAny("actions"u8);
            json.Take(JsonTokenType.EndObject);
            if (type == "repository")
            {
                OrderedJsonReader.Require(RepositoryName.TryParse(name, out var repository));
                repositories.Add(new RepositoryScope(repository!, ReadActions(actions)));
            }
            else
            {
                OrderedJsonReader.Require(type == "registry" && name == "catalog" && actions is ["*"]);
                catalog = true;
            }
        }

        json.Take(JsonTokenType.EndArray);
        return AccessScope.Create(repositories, catalog);
    }

    private static RepositoryActions ReadActions(List<string> names)
    {
        var actions = RepositoryActions.None;
        foreach (var name in names)
        {
            OrderedJsonReader.Require(ActionNames.TryParse(name, out var action));
            actions |= action;
        }

        return actions;
    }

    private static Principal ReadHolder(ref OrderedJsonReader json, string name)
    {
        var kind = json.TakeString("knd"u8) switch
        {
            "a" => SubjectKind.Anonymous,
            "u" => SubjectKind.User,
            "r" => SubjectKind.Robot,
            "w" => SubjectKind.Workload,
            _ => throw new JsonException(),
        };
        var subject = new Subject
        {
            Kind = kind,
            Name = name,
            Method = json.TakeString("mth"u8),
            Groups = json.TakeStringsIfAny("grp"u8),
            Claims = ReadClaims(ref json),
        };
        OrderedJsonReader.Require((kind == SubjectKind.Anonymous) == (name.Length == 0));
        return new Principal
        {
            Subject = kind == SubjectKind.Anonymous ? Subject.Anonymous : subject,
            CredentialId = json.TakeStringIfAny("crd"u8),
            Evidence = json.TakeStringIfAny("evd"u8),
            Limit = ReadLimit(json.TakeStringsIfAny("lim"u8)),
        };
    }

    private static FrozenDictionary<string, string> ReadClaims(ref OrderedJsonReader json)
    {
        if (!json.IsAt("clm"u8))
        {
            return FrozenDictionary<string, string>.Empty;
        }

        var claims = new Dictionary<string, string>(StringComparer.Ordinal);
        json.Take("clm"u8);
        json.Take(JsonTokenType.StartObject);
        while (!json.IsAt(JsonTokenType.EndObject))
        {
            OrderedJsonReader.Require(claims.TryAdd(json.TakeName(), json.TakeString()));
        }

        json.Take(JsonTokenType.EndObject);
        return claims.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static CredentialLimit? ReadLimit(List<string> entries)
    {
        if (entries.Count == 0)
        {
            return null;
        }

        OrderedJsonReader.Require(CredentialLimit.TryParse(entries, out var limit, out _));
        return limit;
    }
}
