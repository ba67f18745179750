using System.Buffers;
using Gateway.Foundation.Configuration;

namespace Gateway.Foundation.Yaml;

/// <summary>
/// Reads the everyday part of YAML quickly: block mappings and lists, values of one line, flow collections.
/// </summary>
/// <remarks>
/// It gives up at everything else, without a problem: anchors, tags, escapes, values of several lines, tabs, line
/// breaks of other systems, and at every mistake. <see cref="YamlReader"/> then reads the text with the library, which
/// alone says what is wrong. What it does read, it reads as the library does, with the same positions; a test compares
/// the two on damaged files. Large policies consist of nothing else, and it needs a tenth of the library's time.
/// </remarks>
internal ref struct SimpleYamlParser
{
    private const int MaxDepth = 16; // less than the reader's own limit
    private const int MaxKey = 512; // the library's limit is 1,024
    private const int FewKeys = 12;
    private const int PoolSize = 1_024; // a power of two
    private const int MaxPooled = 40;

    // All that may be in the text: the line feed and what is printed, without the line breaks of other systems.
    private static readonly SearchValues<char> Allowed = SearchValues.Create(
    [
        '\n', .. Range(' ', '~'), .. Range('\u00A1', '\u167F'), .. Range('\u1681', '\u1FFF'),
        .. Range('\u2010', '\u2027'),
        .. Range('\u2030', '\u205E'), .. Range('\u20A0', '\u2FFF'), .. Range('\u3001', '\uD7FF'),
    ]);

    private readonly ReadOnlySpan<char> _text;
    private readonly string _file;
    private readonly string?[] _pool = new string?[PoolSize];
    private int _at;
    private int _line = 1;
    private int _lineStart;
    private bool _isEnded; // by "..."

    private SimpleYamlParser(ReadOnlySpan<char> text, string file)
    {
        _text = text;
        _file = file;
    }

    private readonly int Column => _at - _lineStart;

    private readonly SourcePosition Position => new(_file, _line, Column + 1);

    private readonly char Current => CharAt(_at);

    /// <summary>Reads a document that is a block mapping.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">Its name, for positions.</param>
    /// <param name="requiresEnd">Whether it must end with <c>...</c>.</param>
    /// <returns>The root; <see langword="null"/> where the library must read the text.</returns>
    public static YamlMapping? TryRead(string text, string file, bool requiresEnd)
    {
        if (text.AsSpan().ContainsAnyExcept(Allowed))
        {
            return null;
        }

        var parser = new SimpleYamlParser(text, file);
        return parser.MoveToContent()
            && !parser.IsAtEnd
            && parser.Column == 0
            && parser.ReadBlockMapping(0, 1) is { } root
            && parser.IsAtEnd
            && (parser._isEnded || !requiresEnd)
            ? root
            : null;
    }

    private readonly bool IsAtEnd => _isEnded || _at == _text.Length;

    private static IEnumerable<char> Range(char first, char last) =>
        Enumerable.Range(first, last - first + 1).Select(static code => (char)code);

    // Zero is not allowed in the text, so it can mean its end.
    private readonly char CharAt(int index) => index < _text.Length ? _text[index] : '\0';

    private static bool EndsWord(char c) => c is ' ' or '\n' or '\0';

    // Moves over blanks, comments and line ends to what comes next, or to the end of the document.
    private bool MoveToContent()
    {
        while (true)
        {
            SkipBlanks();
            switch (Current)
            {
                case '\0':
                    return true;
                case '\n':
                    NextLine();
                    break;
                case '#' when Column == 0 || _text[_at - 1] == ' ':
                    SkipLine();
                    break;
                case '#':
                    return false;
                case '-' or '.' when Column == 0 && IsMarker():
                    return TryEnd();
                default:
                    return true;
            }
        }
    }

    private readonly bool IsMarker() =>
        _text[_at..].StartsWith("---", StringComparison.Ordinal)
        || _text[_at..].StartsWith("...", StringComparison.Ordinal);

    // Nothing but empty lines may follow.
    private bool TryEnd()
    {
        _isEnded = Current == '.' && !_text[(_at + 3)..].ContainsAnyExcept(' ', '\n')
            && (CharAt(_at + 3) is '\n' or '\0');
        return _isEnded;
    }

    private void SkipBlanks()
    {
        while (Current == ' ')
        {
            _at++;
        }
    }

    private void SkipLine()
    {
        var length = _text[_at..].IndexOf('\n');
        _at = length < 0 ? _text.Length : _at + length;
    }

    private void NextLine()
    {
        _at++;
        _line++;
        _lineStart = _at;
    }

    // At a key in the column that all keys of the mapping are in.
    private YamlMapping? ReadBlockMapping(int indentation, int depth)
    {
        var mapping = new YamlMapping(Position);
        var keys = default(HashSet<string>);
        while (depth <= MaxDepth)
        {
            var at = Position;
            if (ReadKey(isFlow: false) is not { } key || !IsNew(key, mapping, ref keys))
            {
                return null;
            }

            SkipBlanks();
            var value = Current is '\n' or '#'
                ? ReadBlockBelow(indentation, depth + 1)
                : ReadOnOneLine(indentation, depth + 1);
            if (value is null)
            {
                return null;
            }

            mapping.Entries.Add(new YamlEntry(key, at, value));
            if (IsAtEnd || Column < indentation)
            {
                return mapping;
            }

            if (Column > indentation)
            {
                return null;
            }
        }

        return null;
    }

    private static bool IsNew(string key, YamlMapping mapping, ref HashSet<string>? keys)
    {
        if (mapping.Entries.Count < FewKeys)
        {
            return mapping.Find(key) is null;
        }

        keys ??= new HashSet<string>(mapping.Entries.Select(static entry => entry.Key), StringComparer.Ordinal);
        return keys.Add(key);
    }

    // The value of a key that has nothing behind its colon.
    private YamlNode? ReadBlockBelow(int indentation, int depth)
    {
        if (!MoveToContent() || IsAtEnd || Column < indentation)
        {
            return null;
        }

        var isItem = Current == '-' && CharAt(_at + 1) == ' ';
        if (Column == indentation)
        {
            return isItem ? ReadBlockList(indentation, isInParentsColumn: true, depth) : null;
        }

        return isItem ? ReadBlockList(Column, isInParentsColumn: false, depth)
            : IsAtKey() ? ReadBlockMapping(Column, depth)
            : null;
    }

    // At the dash of the first item.
    private YamlList? ReadBlockList(int indentation, bool isInParentsColumn, int depth)
    {
        var list = new YamlList(Position);
        while (depth <= MaxDepth)
        {
            _at++;
            SkipBlanks();
            var item = IsAtKey()
                ? ReadBlockMapping(Column, depth + 1)
                : ReadOnOneLine(indentation, depth + 1);
            if (item is null)
            {
                return null;
            }

            list.Items.Add(item);
            if (IsAtEnd || Column < indentation)
            {
                return list;
            }

            if (Column > indentation)
            {
                return null;
            }

            if (Current != '-' || CharAt(_at + 1) != ' ')
            {
                return isInParentsColumn ? list : null;
            }
        }

        return null;
    }

    // A value behind a colon or dash, and the way to what comes next.
    private YamlNode? ReadOnOneLine(int indentation, int depth)
    {
        var value = Current is '[' or '{' ? ReadFlow(indentation, depth) : ReadScalar(isFlow: false);
        if (value is null)
        {
            return null;
        }

        // What is further right than key or dash would go on with the value.
        var end = _at;
        SkipBlanks();
        return (Current is '\n' or '\0' || (Current == '#' && _at > end))
            && MoveToContent()
            && (IsAtEnd || Column <= indentation)
            ? value
            : null;
    }

    private YamlNode? ReadFlow(int indentation, int depth) =>
        depth > MaxDepth ? null
        : Current == '[' ? ReadFlowList(indentation, depth)
        : ReadFlowMapping(indentation, depth);

    private YamlList? ReadFlowList(int indentation, int depth)
    {
        var list = new YamlList(Position);
        _at++;
        if (!MoveInFlow(indentation))
        {
            return null;
        }

        if (Current == ']')
        {
            _at++;
            return list;
        }

        while (true)
        {
            var item = Current is '[' or '{' ? ReadFlow(indentation, depth + 1) : ReadScalar(isFlow: true);
            if (item is null || !MoveInFlow(indentation))
            {
                return null;
            }

            list.Items.Add(item);
            if (TryEndFlow(']', indentation) is not { } isOver)
            {
                return null;
            }

            if (isOver)
            {
                return list;
            }
        }
    }

    private YamlMapping? ReadFlowMapping(int indentation, int depth)
    {
        var mapping = new YamlMapping(Position);
        var keys = default(HashSet<string>);
        _at++;
        if (!MoveInFlow(indentation))
        {
            return null;
        }

        if (Current == '}')
        {
            _at++;
            return mapping;
        }

        while (true)
        {
            var at = Position;
            if (ReadKey(isFlow: true) is not { } key || Current != ' ' || !IsNew(key, mapping, ref keys))
            {
                return null;
            }

            SkipBlanks();
            var value = Current is '[' or '{' ? ReadFlow(indentation, depth + 1) : ReadScalar(isFlow: true);
            if (value is null || !MoveInFlow(indentation))
            {
                return null;
            }

            mapping.Entries.Add(new YamlEntry(key, at, value));
            if (TryEndFlow('}', indentation) is not { } isOver)
            {
                return null;
            }

            if (isOver)
            {
                return mapping;
            }
        }
    }

    // Behind an item: whether the brackets end here, or another item follows; null where neither is to be seen.
    private bool? TryEndFlow(char bracket, int indentation)
    {
        var isOver = Current == bracket;
        if (!isOver && Current != ',')
        {
            return null;
        }

        _at++;
        return isOver ? true : MoveInFlow(indentation) ? false : null;
    }

    // Over blanks, comments and line ends inside of brackets. A further line must be further right than what the
    // brackets belong to; a closing bracket may be in the same column.
    private bool MoveInFlow(int indentation)
    {
        var line = _line;
        return MoveToContent() && !IsAtEnd
            && (_line == line || Column > indentation || (Column == indentation && (Current is ']' or '}')));
    }

    // Whether a key with its colon comes next on this line.
    private readonly bool IsAtKey()
    {
        var ahead = this;
        return ahead.ReadKey(isFlow: false) is not null;
    }

    // A key with its colon. In a block, the colon must be followed by a blank or a line end.
    private string? ReadKey(bool isFlow)
    {
        var start = _at;
        string? key;
        if (Current is '"' or '\'')
        {
            key = ReadQuoted();
        }
        else if (!IsFirstOfPlain(Current))
        {
            return null;
        }
        else
        {
            var length = FindEndOfPlain(isFlow);
            if (length is <= 0 or > MaxKey)
            {
                return null;
            }

            _at += length;
            var plain = _text.Slice(start, length);
            if (plain[^1] == ' ' || plain.Contains('*'))
            {
                return null; // blanks before the colon; the library takes "*:" for part of a value
            }

            key = Text(plain);
            if (key is "<<" or "~" or "null" or "Null" or "NULL")
            {
                return null;
            }
        }

        if (key is null or "<<" || _at - start > MaxKey || Current != ':' || !EndsWord(CharAt(_at + 1)))
        {
            return null;
        }

        _at++;
        return key;
    }

    private YamlScalar? ReadScalar(bool isFlow)
    {
        var position = Position;
        if (Current is '"' or '\'')
        {
            return ReadQuoted() is { } quoted ? new YamlScalar(position, quoted, isPlain: false) : null;
        }

        if (!IsFirstOfPlain(Current))
        {
            return null;
        }

        var length = FindEndOfPlain(isFlow);
        if (length <= 0 || CharAt(_at + length) == ':')
        {
            return null;
        }

        var text = _text.Slice(_at, length).TrimEnd(' ');
        _at += text.Length;
        return new YamlScalar(position, Text(text), isPlain: true);
    }

    private string? ReadQuoted()
    {
        var quote = Current;
        var rest = _text[(_at + 1)..];
        var length = quote == '"' ? rest.IndexOfAny('"', '\\', '\n') : rest.IndexOfAny('\'', '\n');
        if (length < 0 || rest[length] != quote || CharAt(_at + length + 2) == '\'')
        {
            return null; // it has escapes or several lines, or does not end
        }

        _at += length + 2;
        return Text(rest[..length]);
    }

    private static bool IsFirstOfPlain(char c) =>
        char.IsAsciiLetterOrDigit(c)
        || c is '_' or '/' or '.' or '$' or '~' or '<' or '+' or '('
        || (c > '~' && char.IsLetter(c));

    // The length up to the colon that makes it a key, a comment, the end of the line or, in brackets, what separates.
    // 0 or less: something that is better left to the library.
    private readonly int FindEndOfPlain(bool isFlow)
    {
        for (var i = _at; ; i++)
        {
            switch (CharAt(i))
            {
                case '\n' or '\0':
                    return i - _at;
                case ':' when EndsWord(CharAt(i + 1)):
                    return i - _at;
                case ':' when isFlow && CharAt(i + 1) is ',' or '[' or ']' or '{' or '}':
                    return -1;
                case '#' when _text[i - 1] == ' ':
                    return isFlow ? -1 : i - _at;
                case ',' or ']' or '}' when isFlow:
                    return i - _at;
                case '[' or '{' or '?' when isFlow:
                    return -1;
                default:
                    break;
            }
        }
    }

    // Policies repeat themselves: names of groups, patterns' beginnings, actions.
    private readonly string Text(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
        {
            return "";
        }

        if (text.Length > MaxPooled)
        {
            return text.ToString();
        }

        var hash = (text.Length * 31) + (text[0] * 7) + (text[^1] * 131) + (text[text.Length / 2] * 17);
        ref var pooled = ref _pool[hash & (PoolSize - 1)];
        return pooled is not null && text.SequenceEqual(pooled) ? pooled : pooled = text.ToString();
    }
}
