using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// Follows the chain through files and finds what was changed, removed, added or put in another order.
/// </summary>
/// <remarks>
/// What it cannot find: lines cut off the end, unless a position from before is known (<see cref="Expected"/>); and,
/// without a key, anything at all where somebody rewrote the whole chain.
/// </remarks>
internal sealed class AuditVerifier(HashChain chain)
{
    private const int MostFindings = 100;

    private readonly List<string> _findings = [];
    private readonly List<string> _notes = [];
    private ChainPosition? _position;
    private ChainPosition? _first;
    private bool _expectedSeen;

    /// <summary>A position noted earlier, which must still be in the chain.</summary>
    public ChainPosition? Expected { get; init; }

    /// <summary>What is wrong; none where the chain holds.</summary>
    public IReadOnlyList<string> Findings => _findings;

    /// <summary>What those who rely on it should know.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>How many lines were good.</summary>
    public long Lines { get; private set; }

    /// <summary>Where the chain ends.</summary>
    public ChainPosition? Position => _position;

    /// <summary>The first line's number.</summary>
    public long? FirstSequence => _first?.Sequence;

    /// <summary>Reads one file after another, the oldest first.</summary>
    public void Verify(IEnumerable<string> files)
    {
        foreach (var file in files)
        {
            VerifyFile(file);
        }

        if (Expected is { } expected && !_expectedSeen)
        {
            Report(
                _first is { } first && expected.Sequence < first.Sequence
                    ? $"line {expected.Sequence} is older than these files, which start with {first.Sequence}"
                    : $"line {expected.Sequence} with the expected hash is missing: "
                + "the end was cut off, or the whole chain was rewritten");
        }
    }

    private void VerifyFile(string path)
    {
        var name = Path.GetFileName(path);
        var number = 0;
        (int Number, int Length)? broken = null;
        var skips = false;
        var isReported = false;
        using var file = AuditReader.Open(path);
        foreach (var line in AuditReader.ReadLines(file))
        {
            number++;
            var place = string.Create(CultureInfo.InvariantCulture, $"{name}:{number}");
            if (!line.IsComplete)
            {
                Report($"{place}: the last line is incomplete: a write was interrupted, or the file was cut off");
                continue;
            }

            var read = ChainedLine.Read(line.Bytes);
            if (broken is { } before)
            {
                JudgeBroken(name, before.Number, isExplained: read?.Torn == before.Length);
            }

            broken = null;
            if (skips)
            {
                if (read is { IsChained: true } && !isReported)
                {
                    isReported = true;
                    Report($"{place}: this line is part of a chain, but the first line of its file is not: "
                + "that one was changed or removed");
                }

                continue;
            }

            if (read is not { } chained)
            {
                broken = (number, line.Length);
            }
            else if (number == 1 && !Begin(place, chained))
            {
                skips = true;
                isReported = chained.Hash is not null; // of another way or key, and said so
            }
            else
            {
                Check(place, chained);
            }
        }

        if (broken is { } last)
        {
            JudgeBroken(name, last.Number, isExplained: false);
        }
    }

    // A line that is none: the next one records how long it was, if a crash or a full disk cut it off.
    private void JudgeBroken(string name, int number, bool isExplained)
    {
        var place = string.Create(CultureInfo.InvariantCulture, $"{name}:{number}");
        if (isExplained)
        {
            _notes.Add($"{place}: a crash or a full disk cut this line off; the next line records it");
        }
        else
        {
            Report($"{place}: this is not an audit line");
        }
    }

    // The first line of a file says what it goes on from.
    private bool Begin(string place, in ChainedLine line)
    {
        if (line.Hash is null)
        {
            if (line.IsChained)
            {
                Report($"{place}: line {line.Sequence} has no hash any more");
            }
            else if (_position is null)
            {
                _notes.Add($"{place}: this file has no hash chain, so nothing in it can be verified");
            }
            else
            {
                Report($"{place}: this file has no hash chain, but the file before it has one");
            }

            return false;
        }

        if (line.Algorithm != chain.Algorithm)
        {
            Report($"{place}: this file's chain is {line.Algorithm ?? "of no known kind"}, "
                + $"which {chain.Algorithm} cannot verify; "
                + (chain.Algorithm == "sha256" ? "pass its key" : "pass the key it was written with, or none"));
            _position = null;
            return false;
        }

        if (_position is null)
        {
            var before = new ChainPosition(line.Sequence - 1, line.Previous ?? HashChain.Genesis);
            (_position, _first) = (before, new ChainPosition(line.Sequence, line.Hash));
            if (line.Sequence != 1)
            {
                _notes.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{place}: the first line is number {line.Sequence}; "
                    + $"these files do not contain the lines before it"));
            }
            else if (before.Hash != HashChain.Genesis)
            {
                Report($"{place}: line 1 continues an earlier line");
            }
        }
        else if (line.Previous != _position.Value.Hash)
        {
            Report(string.Create(
                CultureInfo.InvariantCulture,
                $"{place}: this file does not continue from line {_position.Value.Sequence}, the last one before it"));
        }

        return true;
    }

    private void Check(string place, in ChainedLine line)
    {
        if (line.Hash is null || _position is not { } before)
        {
            Report($"{place}: this line has no hash: it was not written by the gateway");
            return;
        }

        var next = before.Sequence + 1;
        var holds = chain.Next(before.Hash, line.Signed.Span) == line.Hash;
        if (!holds)
        {
            Report(place + ": " + (line.Sequence - next) switch
            {
                0 => string.Create(CultureInfo.InvariantCulture, $"line {next} or the line before it was changed"),
                > 0 and var missing => string.Create(
                    CultureInfo.InvariantCulture,
                    $"{missing} line{(missing == 1 ? "" : "s")} before number {line.Sequence} "
                    + $"{(missing == 1 ? "is" : "are")} missing, starting with number {next}"),
                _ => string.Create(
                    CultureInfo.InvariantCulture,
                    $"number {line.Sequence} comes after number {before.Sequence}: lines were added or reordered"),
            });
        }
        else if (line.Sequence != next)
        {
            Report(
                string.Create(CultureInfo.InvariantCulture, $"{place}: number {line.Sequence} where {next} belongs"));
        }
        else
        {
            Lines++;
        }

        // On from what the line says, so that one change is one finding and the lines behind it are judged as they are.
        _position = new ChainPosition(line.Sequence, line.Hash);
        _expectedSeen |= _position == Expected;
    }

    private void Report(string finding)
    {
        if (_findings.Count < MostFindings)
        {
            _findings.Add(finding);
        }
        else if (_findings.Count == MostFindings)
        {
            _findings.Add("and more");
        }
    }

    // What the chain needs of a line.
    private readonly record struct ChainedLine(
        long Sequence, string? Hash, string? Previous, string? Algorithm, int? Torn, ReadOnlyMemory<byte> Signed)
    {
        /// <summary>Whether anything in it belongs to a chain, whole or not.</summary>
        public bool IsChained => Hash is not null || Sequence > 0 || Previous is not null || Algorithm is not null;

        public static ChainedLine? Read(byte[] line)
        {
            try
            {
                using var document = JsonDocument.Parse(Encoding.UTF8.GetString(line));
                var root = document.RootElement;
                if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("event"u8, out _))
                {
                    return null;
                }

                // The hash is the last member, and what it covers is all before it; nothing may follow.
                var end = line.AsSpan().LastIndexOf(",\"hash\":\""u8);
                var hash = root.TryGetProperty("hash"u8, out var value) ? value.GetString() : null;
                var isWhole = end > 0 && HashChain.IsHash(hash)
                    && line.Length == end + ",\"hash\":\"".Length + HashChain.TextLength + "\"}".Length;
                return new ChainedLine(
                    root.TryGetProperty("seq"u8, out var seq) ? seq.GetInt64() : 0,
                    isWhole ? hash : null,
                    root.TryGetProperty("prev"u8, out var prev) && HashChain.IsHash(prev.GetString())
                        ? prev.GetString()
                        : null,
                    root.TryGetProperty("chain"u8, out var way) ? way.GetString() : null,
                    root.TryGetProperty("torn"u8, out var torn) ? torn.GetInt32() : null,
                    isWhole ? line.AsMemory(0, end) : default);
            }
            catch (Exception exception)
                when (exception is JsonException or InvalidOperationException or FormatException)
            {
                return null;
            }
        }
    }
}
