using System.Text.Json;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// The gateway started, or is about to stop in good order. A start without a stop before it followed a crash.
/// </summary>
internal sealed class LifecycleEntry(DateTimeOffset time, bool isStart, AuditOptions options, string version)
    : AuditEntry(time)
{
    /// <inheritdoc/>
    public override string Event => isStart ? "start" : "stop";

    /// <inheritdoc/>
    protected override void WriteMembers(Utf8JsonWriter json)
    {
        json.WriteString("version"u8, version);
        json.WriteNumber("pid"u8, Environment.ProcessId);

        // That the trail may have gaps, and from when on, is part of it.
        json.WriteString("onFailure"u8, SettingText.KeyOf(options.OnFailure.ToString()));
        json.WriteBoolean("writeAhead"u8, options.WriteAhead);
    }
}
