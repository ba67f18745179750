using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Core.Authorization;

namespace Gateway.Core.Tokens;

/// <summary>Writes the payload of access tokens: one claim set, one text.</summary>
public static class AccessTokenWriter
{
    // Not for HTML: names in other scripts would take six characters each.
    private static readonly JsonWriterOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes claims as JSON, in UTF-8.</summary>
    /// <remarks>
    /// The order is fixed and everything that is empty is left out, so that <see cref="AccessTokenReader"/> can hold a
    /// payload against the one text that its claims have. <c>aud</c> is a string: Distribution 2.8 takes no array.
    /// </remarks>
    public static ReadOnlyMemory<byte> Write(AccessTokenClaims claims)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer, Relaxed);
        json.WriteStartObject();
        json.WriteString("iss"u8, claims.Issuer);
        json.WriteString("sub"u8, claims.SubjectName);
        json.WriteString("aud"u8, claims.Audience);
        json.WriteNumber("exp"u8, claims.ExpiresAt.ToUnixTimeSeconds());
        json.WriteNumber("nbf"u8, (claims.IssuedAt - AccessTokenClaims.BackDating).ToUnixTimeSeconds());
        json.WriteNumber("iat"u8, claims.IssuedAt.ToUnixTimeSeconds());
        json.WriteString("jti"u8, claims.Id);
        WriteAccess(json, claims.Access);
        if (claims.Holder is { } holder)
        {
            WriteHolder(json, holder, claims.CredentialExpiresAt);
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteAccess(Utf8JsonWriter json, AccessScope access)
    {
        json.WriteStartArray("access"u8);
        foreach (var item in access.Repositories)
        {
            if (item.WireActions.Any())
            {
                WriteEntry(json, "repository"u8, item.Repository.Value, item.WireActions);
            }
        }

        if (access.Catalog)
        {
            WriteEntry(json, "registry"u8, "catalog", ["*"]);
        }

        json.WriteEndArray();
    }

    private static void WriteEntry(
        Utf8JsonWriter json, ReadOnlySpan<byte> type, string name, IEnumerable<string> actions)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        json.WriteString("name"u8, name);
        WriteStrings(json, "actions"u8, actions);
        json.WriteEndObject();
    }

    // Three letters each: the token travels with every request.
    private static void WriteHolder(Utf8JsonWriter json, Principal holder, DateTimeOffset? credentialExpiresAt)
    {
        var subject = holder.Subject;
        json.WriteString("knd"u8, KindName(subject.Kind));
        json.WriteString("mth"u8, subject.Method);
        if (subject.Groups.Count > 0)
        {
            WriteStrings(json, "grp"u8, subject.Groups);
        }

        if (subject.Claims.Count > 0)
        {
            json.WriteStartObject("clm"u8);
            foreach (var (name, value) in subject.Claims.OrderBy(static claim => claim.Key, StringComparer.Ordinal))
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        if (holder.CredentialId is { } id)
        {
            json.WriteString("crd"u8, id);
        }

        if (holder.Evidence is { } evidence)
        {
            json.WriteString("evd"u8, evidence);
        }

        if (holder.Limit is { } limit)
        {
            WriteStrings(json, "lim"u8, limit.Entries.Select(static entry => entry.ToString()));
        }

        if (credentialExpiresAt is { } end)
        {
            json.WriteNumber("end"u8, end.ToUnixTimeSeconds());
        }
    }

    private static void WriteStrings(Utf8JsonWriter json, ReadOnlySpan<byte> name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    private static ReadOnlySpan<byte> KindName(SubjectKind kind) => kind switch
    {
        SubjectKind.Anonymous => "a"u8,
        SubjectKind.User => "u"u8,
        SubjectKind.Robot => "r"u8,
        SubjectKind.Workload => "w"u8,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind of subject"),
    };
}
