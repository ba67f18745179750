using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Server.Records.Audit;

/// <summary>How lines are read.</summary>
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class AuditJson : JsonSerializerContext;
