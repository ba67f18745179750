using System.Text.Json;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Records.Audit;

/// <summary>Lines could not be written for a while, and now can again.</summary>
internal sealed class OutageEntry(DateTimeOffset time) : AuditEntry(time)
{
    /// <inheritdoc/>
    public override string Event => "outage";

    /// <summary>Which sink failed.</summary>
    public required string Sink { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>How many lines are lost for good.</summary>
    public required long Lost { get; init; }

    /// <summary>The time of the first lost line.</summary>
    public DateTimeOffset LostFrom { get; init; }

    /// <summary>The time of the last lost line.</summary>
    public DateTimeOffset LostUntil { get; init; }

    /// <summary>What happened to requests meanwhile.</summary>
    public AuditFailureMode Mode { get; init; }

    /// <inheritdoc/>
    protected override void WriteMembers(Utf8JsonWriter json)
    {
        json.WriteString("sink"u8, Sink);
        json.WriteString("onFailure"u8, SettingText.KeyOf(Mode.ToString()));
        json.WriteString("since"u8, AuditText.Format(Since));
        json.WriteNumber("lost"u8, Lost);
        if (Lost > 0)
        {
            json.WriteString("lostFrom"u8, AuditText.Format(LostFrom));
            json.WriteString("lostUntil"u8, AuditText.Format(LostUntil));
        }
    }
}
