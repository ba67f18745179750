using System.Text.Json;

namespace Gateway.Server.Records.Audit;

/// <summary>A command of an operator's is about to change something that the gateway goes by.</summary>
internal sealed class CommandEntry(DateTimeOffset time) : AuditEntry(time)
{
    /// <inheritdoc/>
    public override string Event => "command";

    /// <summary>The command: <c>token create</c>.</summary>
    public required string Command { get; init; }

    /// <summary>
    /// Whom or what it changes, where it says: a user's name, a key's id; <see langword="null"/> elsewhere.
    /// </summary>
    public string? Target { get; init; }

    /// <summary>The account that ran it.</summary>
    public required string Account { get; init; }

    /// <summary>Its number.</summary>
    public required uint UserId { get; init; }

    /// <inheritdoc/>
    protected override void WriteMembers(Utf8JsonWriter json)
    {
        json.WriteString("command"u8, Command);
        if (Target is not null)
        {
            json.WriteText("target"u8, Target);
        }

        json.WriteText("account"u8, Account);
        json.WriteNumber("uid"u8, UserId);
    }
}
