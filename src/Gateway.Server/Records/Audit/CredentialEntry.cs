using System.Text.Json;
using Gateway.Server.Store.State;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// A personal, robot or workload token was created, revoked, rotated or exchanged, or all that somebody has was
/// blocked. Never holds a secret or what that hashes to.
/// </summary>
internal sealed class CredentialEntry(DateTimeOffset time) : AuditEntry(time)
{
    /// <inheritdoc/>
    public override string Event => "credential";

    /// <summary>
    /// <c>create</c>, <c>revoke</c>, <c>revokeAll</c>, <c>rotate</c>, <c>exchange</c>, <c>block</c> or <c>unblock</c>.
    /// </summary>
    public required string Action { get; init; }

    /// <summary>Who did it: <c>user:alice</c>, <c>operator</c>.</summary>
    public required string By { get; init; }

    /// <summary>The request that asked for it; <see langword="null"/> for a command.</summary>
    public string? RequestId { get; init; }

    /// <summary>The token's id.</summary>
    public string? Id { get; init; }

    /// <summary>Whose it is.</summary>
    public string? Owner { get; init; }

    /// <summary>The token created; where there is one.</summary>
    public StoredCredential? Credential { get; init; }

    /// <summary>The token that was replaced, with the end it has now.</summary>
    public StoredCredential? Replaced { get; init; }

    /// <summary>How many were revoked.</summary>
    public int? Count { get; init; }

    /// <summary>When a block expires.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Why somebody was blocked, as the operator put it.</summary>
    public string? Reason { get; init; }

    /// <inheritdoc/>
    protected override void WriteMembers(Utf8JsonWriter json)
    {
        json.WriteString("action"u8, Action);
        json.WriteText("by"u8, By);
        json.WriteText("requestId"u8, RequestId);
        json.WriteText("owner"u8, Owner ?? Credential?.Owner.ToString());
        json.WriteText("credential"u8, Id ?? Credential?.Id);
        if (Credential is not null)
        {
            json.WriteString("kind"u8, AuditNames.Of(Credential.Kind));
            json.WriteText("name"u8, Credential.Name);
            json.WriteString("expiresAt"u8, AuditText.Format(Credential.ExpiresAt));
            WriteScopes(json);
        }

        if (Replaced is not null)
        {
            json.WriteText("replaced"u8, Replaced.Id);
            json.WriteString("replacedEndsAt"u8, AuditText.Format(Replaced.ExpiresAt));
        }

        if (Count is { } count)
        {
            json.WriteNumber("count"u8, count);
        }

        if (Until is { } until)
        {
            json.WriteString("until"u8, AuditText.Format(until));
        }

        json.WriteText("reason"u8, Reason);
    }

    private void WriteScopes(Utf8JsonWriter json)
    {
        if (Credential!.Limit is not { } limit)
        {
            json.WriteBoolean("unlimited"u8, true); // all that its owner may
            return;
        }

        json.WriteStartArray("scopes"u8);
        foreach (var scope in limit.Entries)
        {
            json.WriteStringValue(scope.ToString()); // 16 at most
        }

        json.WriteEndArray();
    }
}
