using System.Text;
using Gateway.Configuration;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Gateway.Authorization;

/// <summary>One file of the policy folder: its values with positions, and what is wrong with it.</summary>
/// <remarks>
/// Read from the parser's events rather than a document model: that keeps positions and repeated keys, and refuses
/// aliases, by which a small file can stand for a huge one.
/// </remarks>
internal sealed class YamlFile
{
    private const int MaxBytes = 4 << 20;
    private const int MaxDepth = 16;
    private const string Cure = "Check the indentation, and put quotes around patterns (\"users/${subject}/**\").";

    private static readonly UTF8Encoding StrictUtf8 =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<Problem> _problems;

    private YamlFile(string path, List<Problem> problems)
    {
        Path = path;
        Name = System.IO.Path.GetFileName(path);
        _problems = problems;
    }

    public string Path { get; }

    /// <summary>The name inside the folder.</summary>
    public string Name { get; }

    /// <summary>The top-level map; <see langword="null"/> where the file is empty or unreadable.</summary>
    public YamlMap? Root { get; private set; }

    /// <summary>Reads a file; what is wrong is added to <paramref name="problems"/>.</summary>
    public static YamlFile Read(string path, List<Problem> problems)
    {
        var file = new YamlFile(path, problems);
        if (file.ReadText() is { } text)
        {
            file.Parse(text);
        }

        return file;
    }

    public Problem Problem(YamlValue at, string what, string? found, string cure) =>
        new($"{Path}:{at.Line}:{at.Column}", what, found, cure);

    public void Report(YamlValue at, string what, string? found, string cure) =>
        _problems.Add(Problem(at, what, found, cure));

    private string? ReadText()
    {
        try
        {
            using var stream = File.OpenRead(Path);
            var content = new byte[MaxBytes + 1];
            var length = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            if (length > MaxBytes)
            {
                _problems.Add(new(
                    Path, "larger than 4 MiB", null, "Split it into several files; they are read together."));
                return null;
            }

            return StrictUtf8.GetString(content, 0, length).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException)
        {
            _problems.Add(new(Path, "not UTF-8 text", null, "Save it as UTF-8."));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _problems.Add(new(
                Path, "cannot be read: " + exception.Message, null, "Let the gateway's account read it."));
        }

        return null;
    }

    private void Parse(string text)
    {
        var parser = new Parser(new StringReader(text));
        try
        {
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                return;
            }

            parser.Consume<DocumentStart>();
            var value = ReadValue(parser, 0);
            parser.Consume<DocumentEnd>();
            if (parser.Current is DocumentStart next)
            {
                throw new Refusal(
                    next.Start, "a second document", null, "Remove the line \"---\" or make it a file of its own.");
            }

            switch (value)
            {
                case YamlMap map:
                    Root = map;
                    break;
                case YamlText { IsNothing: true }:
                    break;
                default:
                    Report(value, "the file is " + value.Kind, null, "It begins with a key, such as \"rules:\".");
                    break;
            }
        }
        catch (Refusal refusal)
        {
            _problems.Add(new(
                $"{Path}:{refusal.At.Line}:{refusal.At.Column}", refusal.What, refusal.Found, refusal.Cure));
        }
        catch (YamlException exception)
        {
            _problems.Add(new(
                $"{Path}:{exception.Start.Line}:{exception.Start.Column}",
                "not YAML: " + exception.Message.TrimEnd('.'),
                null,
                Cure));
        }
        catch (Exception exception) when (
            exception is InvalidOperationException or ArgumentException or FormatException)
        {
            // What the library's scanner throws at some broken texts, such as a plain scalar cut by a tab.
            var at = parser.Current?.End ?? Mark.Empty;
            _problems.Add(new($"{Path}:{at.Line}:{at.Column}", "not YAML after this place", null, Cure));
        }
    }

    private static YamlValue ReadValue(Parser parser, int depth)
    {
        switch (parser.Current)
        {
            case AnchorAlias alias:
                throw new Refusal(
                    alias.Start,
                    "an alias",
                    "*" + alias.Value,
                    "Aliases are not used here; put quotes around a pattern: \"**\".");
            case NodeEvent { Anchor.IsEmpty: false } node:
                throw new Refusal(
                    node.Start,
                    "an anchor",
                    "&" + node.Anchor,
                    "Anchors are not used here; name a group or role instead.");
            case NodeEvent { Tag.IsEmpty: false } node and not Scalar { Tag.IsNonSpecific: true }:
                throw new Refusal(
                    node.Start, "a YAML tag", node.Tag.ToString(), "Remove it; all values are plain texts.");
            case NodeEvent node when depth > MaxDepth:
                throw new Refusal(node.Start, "nested too deeply", null, "Nothing in these files is that deep.");
            case Scalar scalar:
                parser.MoveNext();
                return new YamlText(
                    scalar.Value, scalar.Style is not ScalarStyle.Plain, scalar.Start.Line, scalar.Start.Column);
            case SequenceStart start:
                parser.MoveNext();
                var items = new List<YamlValue>();
                while (!parser.TryConsume<SequenceEnd>(out _))
                {
                    items.Add(ReadValue(parser, depth + 1));
                }

                return new YamlList(items, start.Start.Line, start.Start.Column);
            case MappingStart start:
                parser.MoveNext();
                var entries = new List<KeyValuePair<YamlText, YamlValue>>();
                while (!parser.TryConsume<MappingEnd>(out _))
                {
                    entries.Add(new(ReadKey(parser, depth), ReadValue(parser, depth + 1)));
                }

                // The parser gives a pair without braces inside a list ("[ a: b ]") the position 1:1.
                return entries is [var (first, _), ..] && start.Start is { Line: 1, Column: 1 }
                    ? new YamlMap(entries, first.Line, first.Column)
                    : new YamlMap(entries, start.Start.Line, start.Start.Column);
            case var other:
                throw new Refusal(other!.Start, "nothing that belongs here", null, "Check the indentation.");
        }
    }

    private static YamlText ReadKey(Parser parser, int depth)
    {
        var start = parser.Current!.Start;
        return ReadValue(parser, depth + 1) as YamlText
            ?? throw new Refusal(start, "a key that is not a text", null, "Put quotes around it.");
    }

    // Leaves the parser's recursion at the first thing that cannot be read past.
    private sealed class Refusal(Mark at, string what, string? found, string cure) : Exception
    {
        public Mark At => at;

        public string What => what;

        public string? Found => found;

        public string Cure => cure;
    }
}
