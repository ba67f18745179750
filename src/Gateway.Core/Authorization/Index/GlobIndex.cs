namespace Gateway.Core.Authorization.Index;

/// <summary>Finds, among many globs, those that match a text, without trying them all.</summary>
/// <remarks>
/// A glob lies under its literal beginning or, where that is longer, its literal end. A look-up cuts the text at each
/// length that occurs, so it costs the number of different lengths, not of globs. Globs that begin and end with
/// <c>*</c> are tried one by one.
/// </remarks>
internal sealed class GlobIndex<T>
{
    private readonly Side _prefixes;
    private readonly Side _suffixes;

    public GlobIndex(IEnumerable<(Glob Glob, T Value)> entries)
    {
        var sides = entries.ToLookup(static entry => entry.Glob.Prefix.Length >= entry.Glob.Suffix.Length);
        _prefixes = new Side(sides[true], static glob => glob.Prefix);
        _suffixes = new Side(sides[false], static glob => glob.Suffix);
    }

    /// <summary>The values whose globs match.</summary>
    public Matches Find(ReadOnlySpan<char> text) => new(this, text);

    private sealed class Side
    {
        private readonly Dictionary<string, (Glob, T)[]>.AlternateLookup<ReadOnlySpan<char>> _entries;

        public Side(IEnumerable<(Glob Glob, T Value)> entries, Func<Glob, string> key)
        {
            var byKey = entries.GroupBy(entry => key(entry.Glob), StringComparer.Ordinal)
                .ToDictionary(static group => group.Key, static group => group.ToArray(), StringComparer.Ordinal);
            Lengths = [.. byKey.Keys.Select(static text => text.Length).Distinct().Order()];
            _entries = byKey.GetAlternateLookup<ReadOnlySpan<char>>();
        }

        public int[] Lengths { get; }

        public (Glob Glob, T Value)[] Find(ReadOnlySpan<char> key) =>
            _entries.TryGetValue(key, out var found) ? found : [];
    }

    internal ref struct Matches
    {
        private readonly GlobIndex<T> _index;
        private readonly ReadOnlySpan<char> _text;
        private (Glob Glob, T Value)[] _candidates = [];
        private int _candidate = -1;
        private int _length;

        public Matches(GlobIndex<T> index, ReadOnlySpan<char> text)
        {
            _index = index;
            _text = text;
        }

        public readonly T Current => _candidates[_candidate].Value;

        public readonly Matches GetEnumerator() => this;

        public bool MoveNext()
        {
            do
            {
                while (++_candidate < _candidates.Length)
                {
                    if (_candidates[_candidate].Glob.Matches(_text))
                    {
                        return true;
                    }
                }

                _candidate = -1;
            }
            while (MoveToNextKey());
            return false;
        }

        private bool MoveToNextKey()
        {
            var prefixes = _index._prefixes;
            var suffixes = _index._suffixes;
            var next = _length++;
            if (next < prefixes.Lengths.Length)
            {
                var length = prefixes.Lengths[next];
                _candidates = length <= _text.Length ? prefixes.Find(_text[..length]) : [];
                return true;
            }

            next -= prefixes.Lengths.Length;
            if (next < suffixes.Lengths.Length)
            {
                var length = suffixes.Lengths[next];
                _candidates = length <= _text.Length ? suffixes.Find(_text[^length..]) : [];
                return true;
            }

            _candidates = [];
            return false;
        }
    }
}
