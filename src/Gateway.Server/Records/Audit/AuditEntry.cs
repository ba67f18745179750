using System.Text.Json;

namespace Gateway.Server.Records.Audit;

/// <summary>What becomes one line. Filled by the code that acts; turned into JSON by the code that writes.</summary>
/// <param name="time">When it happened.</param>
internal abstract class AuditEntry(DateTimeOffset time)
{
    /// <summary>The version of the schema: docs/audit.schema.json.</summary>
    public const int SchemaVersion = 1;

    /// <summary>When it happened.</summary>
    public DateTimeOffset Time { get; } = time;

    /// <summary>The kind of line: the member <c>event</c>.</summary>
    public abstract string Event { get; }

    /// <summary>Writes the members after <c>v</c>, <c>time</c> and <c>event</c>.</summary>
    protected abstract void WriteMembers(Utf8JsonWriter json);

    /// <summary>Writes the line's object, without its end: the writer adds its own members.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("v"u8, SchemaVersion);
        json.WriteTime("time"u8, Time);
        json.WriteString("event"u8, Event);
        WriteMembers(json);
    }
}
