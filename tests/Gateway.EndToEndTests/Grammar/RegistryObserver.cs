using System.Text.Json;

namespace Gateway.EndToEndTests.Grammar;

/// <summary>What the registry's debug log says of one request: what it read, and what it touched on disk.</summary>
internal sealed class RegistryObservation
{
    public string? Uri { get; set; }

    public string? Name { get; set; }

    public string? Item { get; set; }

    /// <summary>The repositories whose files the storage driver was asked for.</summary>
    public HashSet<string> Touched { get; } = new(StringComparer.Ordinal);

    public override string ToString() => $"name {Name}, item {Item}, touched [{string.Join(' ', Touched)}]";
}

/// <summary>Collects the registry's log by request; each carries its number in the User-Agent.</summary>
/// <remarks>This is the registry's own word, after its own parsing; none of ours is involved.</remarks>
internal sealed class RegistryObserver
{
    private const string Repositories = "/docker/registry/v2/repositories/";
    private readonly Dictionary<string, RegistryObservation> _byAgent = new(StringComparer.Ordinal);

    public RegistryObservation? this[string agent] => _byAgent.GetValueOrDefault(agent);

    public void OnLogLine(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith("{"u8))
        {
            return;
        }

        string? agent = null, uri = null, name = null, item = null, message = null;
        var reader = new Utf8JsonReader(line);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1)
            {
                if (reader.ValueTextEquals("http.request.useragent"u8))
                {
                    agent = Value(ref reader);
                }
                else if (reader.ValueTextEquals("http.request.uri"u8))
                {
                    uri = Value(ref reader);
                }
                else if (reader.ValueTextEquals("vars.name"u8))
                {
                    name = Value(ref reader);
                }
                else if (reader.ValueTextEquals("vars.reference"u8) || reader.ValueTextEquals("vars.digest"u8)
                    || reader.ValueTextEquals("vars.uuid"u8))
                {
                    item = Value(ref reader);
                }
                else if (reader.ValueTextEquals("msg"u8))
                {
                    message = Value(ref reader);
                }
            }
        }

        if (agent is null)
        {
            return;
        }

        if (!_byAgent.TryGetValue(agent, out var seen))
        {
            _byAgent[agent] = seen = new RegistryObservation();
        }

        // Two lines of one request that name different things are a finding too: keep both, so that nothing matches.
        seen.Uri = Merge(seen.Uri, uri);
        seen.Name = Merge(seen.Name, name);
        seen.Item = Merge(seen.Item, item);
        var at = 0;
        while (message is not null && (at = message.IndexOf(Repositories, at, StringComparison.Ordinal)) >= 0)
        {
            at += Repositories.Length;
            var end = message.IndexOf("/_", at, StringComparison.Ordinal);
            var quote = message.IndexOf('"', at);
            end = end >= 0 && (quote < 0 || end < quote) ? end : quote < 0 ? message.Length : quote;
            seen.Touched.Add(message[at..end]);
        }
    }

    private static string? Value(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
    }

    private static string? Merge(string? seen, string? now) =>
        seen is null || now is null || seen == now ? seen ?? now : $"{seen} AND {now}";
}
