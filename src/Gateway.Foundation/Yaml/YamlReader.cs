using Gateway.Foundation.Configuration;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Gateway.Foundation.Yaml;

/// <summary>
/// Reads the plain part of YAML (values, lists, keys) and notes every problem with its line and column.
/// </summary>
/// <remarks>
/// Anchors, aliases, tags and merge keys are refused: aliases let a few lines expand to gigabytes, tags name types, and
/// all of them hide a setting's value from a reviewer. Messages show values only if the caller states that none of them
/// can be a secret.
/// </remarks>
internal sealed class YamlReader
{
    private const int MaxDepth = 32;
    private const string LineFix = "Fix the line or its indentation; a value that holds \": \" or \" #\", that "
        + "begins with one of * & ! % @ ` [ {, or that holds one of { } [ ] in a list in brackets, needs quotes.";

    private readonly GuardedParser _parser;
    private readonly string _file;
    private readonly ProblemCollector _problems;
    private readonly bool _showsValues;
    private readonly bool _requiresEnd;

    private YamlReader(string text, string file, ProblemCollector problems, bool showsValues, bool requiresEnd)
    {
        _parser = new GuardedParser(new Parser(new StringReader(text)));
        _file = file;
        _problems = problems;
        _showsValues = showsValues;
        _requiresEnd = requiresEnd;
    }

    /// <summary>Reads one document.</summary>
    /// <param name="text">The file's text; the caller has limited its size.</param>
    /// <param name="file">The file's name for messages.</param>
    /// <param name="problems">Receives every problem.</param>
    /// <param name="showsValues">Whether problems may show what was found: only for files that hold no secrets.</param>
    /// <param name="requiresEnd">
    /// Whether a document without its end, <c>...</c>, is a problem: the file may be cut off.
    /// </param>
    /// <returns>
    /// The document's root; an empty mapping for an empty file; <see langword="null"/> if the text is not YAML, so
    /// that nothing more can be reported about it.
    /// </returns>
    public static YamlNode? Read(
        string text, string file, ProblemCollector problems, bool showsValues = false, bool requiresEnd = false) =>
        SimpleYamlParser.TryRead(text, file, requiresEnd)
        ?? ReadByLibrary(text, file, problems, showsValues, requiresEnd);

    /// <summary>Reads one document with the library alone; <see cref="SimpleYamlParser"/> must agree with it.</summary>
    /// <inheritdoc cref="Read"/>
    internal static YamlNode? ReadByLibrary(
        string text, string file, ProblemCollector problems, bool showsValues, bool requiresEnd)
    {
        try
        {
            return new YamlReader(text, file, problems, showsValues, requiresEnd).ReadDocument();
        }
        catch (YamlException exception) when (FindTab(text, file) is { } tab && IsOfTabs(text, exception))
        {
            problems.Add(
                tab, "a line is indented with a tab, which YAML does not allow", null, "Use spaces.");
        }
        catch (YamlException exception)
        {
            var message = exception.Message.TrimEnd('.');
            problems.Add(
                PositionOf(exception.Start, file),
                $"not YAML: {char.ToLowerInvariant(message[0])}{message[1..]}",
                null,
                LineFix);
        }
        catch (TooDeepException exception)
        {
            problems.Add(
                exception.Position,
                $"values are nested more than {MaxDepth} deep",
                null,
                "Fix the brackets or the indentation.");
        }

        return null;
    }

    private static SourcePosition PositionOf(Mark mark, string file) => new(file, (int)mark.Line, (int)mark.Column);

    // The first line that is indented with a tab: the parser names where the surrounding value began, which may be far
    // above.
    private static SourcePosition? FindTab(string text, string file)
    {
        var line = 0;
        foreach (var content in text.AsSpan().EnumerateLines())
        {
            line++;
            var indentation = content[..^content.TrimStart(" \t").Length];
            if (indentation.IndexOf('\t') is var tab and >= 0)
            {
                return new SourcePosition(file, line, tab + 1);
            }
        }

        return null;
    }

    // The parser gives no other sign than its message: whether the text with blanks instead of tabs has another fault,
    // or none.
    private static bool IsOfTabs(string text, YamlException fault)
    {
        try
        {
            var parser = new GuardedParser(new Parser(new StringReader(text.Replace('\t', ' '))));
            while (parser.MoveNext())
            {
                // only read
            }

            return true;
        }
        catch (YamlException other)
        {
            return other.Start.Index != fault.Start.Index || other.Message != fault.Message;
        }
    }

    private YamlNode ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
        {
            CheckEnd(isThere: false);
            return new YamlMapping(new SourcePosition(_file, 1, 1));
        }

        _parser.Consume<DocumentStart>();
        var root = ReadNode(depth: 1);
        CheckEnd(isThere: !_parser.Consume<DocumentEnd>().IsImplicit);
        if (_parser.Accept<DocumentStart>(out var second))
        {
            _problems.Add(
                PositionOf(second.Start, _file),
                "a second document begins here, but the file must have only one",
                null,
                "Remove the line \"---\" and everything that does not belong in this file.");
        }

        return root is YamlScalar { IsNull: true } ? new YamlMapping(root.Position) : root;
    }

    private void CheckEnd(bool isThere)
    {
        if (_requiresEnd && !isThere)
        {
            _problems.Add(
                SourcePosition.OfFile(_file),
                "the line \"...\" at the end is missing, so the file may be cut off (requireDocumentEnd)",
                null,
                "Write the file again, completely; its last line must be \"...\".");
        }
    }

    private YamlNode ReadNode(int depth)
    {
        var position = PositionOf(_parser.Current!.Start, _file);
        if (depth > MaxDepth)
        {
            throw new TooDeepException(position);
        }

        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            return Refuse(
                position,
                "a value that begins with \"*\" is an alias, and aliases are not supported",
                $"*{alias.Value}",
                "Put the value in quotes, as in \"*:8443\" or \"**\"; or repeat the value of the alias here.");
        }

        if (_parser.Current is NodeEvent { Anchor: { IsEmpty: false } anchor })
        {
            return RefuseWhole(
                position,
                depth,
                "a value that begins with \"&\" is an anchor, and anchors are not supported",
                $"&{anchor.Value}",
                "Put the value in quotes; or remove the anchor and repeat its value wherever it is needed.");
        }

        if (_parser.Current is NodeEvent { Tag: { IsEmpty: false } tag })
        {
            return RefuseWhole(
                position,
                depth,
                "a value that begins with \"!\" has a tag, and tags are not supported",
                tag.Value,
                "Put the value in quotes; or remove the tag.");
        }

        if (_parser.TryConsume<Scalar>(out var scalar))
        {
            return new YamlScalar(position, scalar.Value, scalar.Style == ScalarStyle.Plain);
        }

        return _parser.Accept<SequenceStart>(out _) ? ReadList(position, depth) : ReadMapping(position, depth);
    }

    private YamlList ReadList(SourcePosition position, int depth)
    {
        var list = new YamlList(position);
        _parser.Consume<SequenceStart>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            list.Items.Add(ReadNode(depth + 1));
        }

        return list;
    }

    private YamlMapping ReadMapping(SourcePosition position, int depth)
    {
        _parser.Consume<MappingStart>();
        if (depth > 1 && position is { Line: 1, Column: 1 })
        {
            // This is how the parser positions a pair without braces in a list: "[ a: b ]".
            position = PositionOf(_parser.Current!.Start, _file);
        }

        var mapping = new YamlMapping(position);
        var seen = new Dictionary<string, SourcePosition>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var key = ReadNode(depth + 1);
            var value = ReadNode(depth + 1);
            if (CheckKey(key, seen) is { } name)
            {
                mapping.Entries.Add(new YamlEntry(name, key.Position, value));
            }
        }

        return mapping;
    }

    private string? CheckKey(YamlNode key, Dictionary<string, SourcePosition> seen)
    {
        if (key is not YamlScalar scalar)
        {
            if (key is not YamlRefused)
            {
                Refuse(key.Position, "a key must be one word", null, "Write it as \"key: value\".");
            }

            return null;
        }

        if (scalar.IsNull)
        {
            Refuse(key.Position, "there is no key before the \":\"", null, "Write it as \"key: value\".");
            return null;
        }

        if (scalar.Text == "<<")
        {
            Refuse(
                key.Position,
                "merge keys (\"<<\") are not supported",
                null,
                "Repeat the settings where they are needed.");
            return null;
        }

        if (!seen.TryAdd(scalar.Text, key.Position))
        {
            // Neither the first nor the last counts: two values for one key are a mistake, whichever was meant.
            Refuse(
                key.Position,
                $"the key \"{SettingText.Shorten(scalar.Text)}\" appears again here, after line "
                    + $"{seen[scalar.Text].Line}",
                null,
                "Keep one of the two.");
            return null;
        }

        return scalar.Text;
    }

    private YamlRefused Refuse(SourcePosition position, string what, string? found, string fix)
    {
        _problems.Add(position, what, _showsValues ? found : null, fix);
        return new YamlRefused(position);
    }

    // Refuses a value with everything in it. The limit on depth applies here too: the library's time grows with its
    // square.
    private YamlRefused RefuseWhole(SourcePosition position, int depth, string what, string found, string fix)
    {
        var refused = Refuse(position, what, found, fix);
        var nesting = 0;
        do
        {
            nesting += _parser.Current!.NestingIncrease;
            if (depth + nesting > MaxDepth)
            {
                throw new TooDeepException(PositionOf(_parser.Current.Start, _file));
            }

            _parser.MoveNext();
        }
        while (nesting > 0);

        return refused;
    }

    // YamlDotNet throws internal exceptions for some malformed text; found by damaging the sample at random.
    private sealed class GuardedParser(Parser parser) : IParser
    {
        public ParsingEvent? Current => parser.Current;

        public bool MoveNext()
        {
            try
            {
                return parser.MoveNext();
            }
            catch (Exception exception) when (exception is not YamlException)
            {
                var near = parser.Current?.End ?? Mark.Empty;
                throw new YamlException(near, near, "cannot be parsed from here on", exception);
            }
        }
    }

    private sealed class TooDeepException(SourcePosition position) : Exception
    {
        public SourcePosition Position { get; } = position;
    }
}
