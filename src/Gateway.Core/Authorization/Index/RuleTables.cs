namespace Gateway.Core.Authorization.Index;

/// <summary>The rules of one effect, by pattern and principal.</summary>
/// <remarks>
/// Flat arrays, each a range of the next: patterns, the principals of a pattern, the rules that share both (a bucket).
/// A hundred thousand rules are a handful of objects, which the garbage collector needs not walk through.
/// </remarks>
internal sealed class RuleTables
{
    // Below this, trying each rule's tags is cheaper than cutting the tag.
    private const int FewRules = 8;

    private readonly int[] _buckets; // by pattern: its first bucket; one more at the end
    private readonly int[] _principals; // by bucket; ascending within a pattern
    private readonly Bounds[] _bounds; // by bucket; one more at the end
    private readonly CompiledRule[] _rules; // by bucket: those for any tag, then those limited by tag; each by rank
    private readonly Dictionary<int, GlobIndex<CompiledRule>> _byTag = []; // buckets with many rules limited by tag

    /// <summary>Builds the tables.</summary>
    /// <param name="patternCount">How many patterns there are.</param>
    /// <param name="entries">The rules of the effect in the order of their ranks, with where they are found.</param>
    public RuleTables(int patternCount, List<(CompiledRule Rule, int[] Principals, int[] Patterns)> entries)
    {
        var starts = CountByPattern(patternCount, entries);
        var keys = KeysByPattern(starts, entries, out var ranked);
        _buckets = new int[patternCount + 1];
        _rules = new CompiledRule[keys.Length];
        var principals = new List<int>(keys.Length);
        var bounds = new List<Bounds>(keys.Length);
        for (var pattern = 0; pattern < patternCount; pattern++)
        {
            _buckets[pattern] = principals.Count;
            var range = keys.AsSpan(starts[pattern]..starts[pattern + 1]);
            range.Sort();
            for (var i = 0; i < range.Length; i++)
            {
                var at = starts[pattern] + i;
                var principal = (int)(range[i] >> 32);
                _rules[at] = ranked[(int)(range[i] & int.MaxValue)];
                if (i == 0 || principals[^1] != principal)
                {
                    principals.Add(principal);
                    bounds.Add(new Bounds(at, at));
                }

                if (IsForAnyTag(range[i]))
                {
                    bounds[^1] = bounds[^1] with { Limited = at + 1 };
                }
            }
        }

        _buckets[patternCount] = principals.Count;
        bounds.Add(new Bounds(keys.Length, keys.Length));
        _principals = [.. principals];
        _bounds = [.. bounds];
        IndexTags();
    }

    /// <summary>Walks through the buckets of a pattern that a subject's principals are in.</summary>
    public BucketEnumerator For(int pattern, ResolvedSubject subject) =>
        new(this, _buckets[pattern], _buckets[pattern + 1], subject.Principals);

    /// <summary>All rules of a pattern, whomever they are for.</summary>
    public ArraySegment<CompiledRule> All(int pattern)
    {
        var first = _bounds[_buckets[pattern]].First;
        return new(_rules, first, _bounds[_buckets[pattern + 1]].First - first);
    }

    private static int[] CountByPattern(
        int patternCount, List<(CompiledRule Rule, int[] Principals, int[] Patterns)> entries)
    {
        var starts = new int[patternCount + 1];
        foreach (var (_, principals, patterns) in entries)
        {
            foreach (var pattern in patterns)
            {
                starts[pattern + 1] += principals.Length;
            }
        }

        for (var i = 0; i < patternCount; i++)
        {
            starts[i + 1] += starts[i];
        }

        return starts;
    }

    // One number for each place of a rule, whose order is that of the tables: principal, limited by tag, rank.
    private static ulong[] KeysByPattern(
        int[] starts,
        List<(CompiledRule Rule, int[] Principals, int[] Patterns)> entries,
        out CompiledRule[] ranked)
    {
        var keys = new ulong[starts[^1]];
        var next = starts.AsSpan().ToArray();
        ranked = new CompiledRule[entries.Count];
        for (var i = 0; i < entries.Count; i++)
        {
            var (rule, principals, patterns) = entries[i];
            ranked[i] = rule;
            var limited = rule.Source.Tags.IsEmpty ? 0UL : 1UL << 31;
            foreach (var pattern in patterns)
            {
                foreach (var principal in principals)
                {
                    keys[next[pattern]++] = ((ulong)(uint)principal << 32) | limited | (uint)i;
                }
            }
        }

        return keys;
    }

    private static bool IsForAnyTag(ulong key) => (key & (1UL << 31)) == 0;

    private void IndexTags()
    {
        for (var bucket = 0; bucket < _principals.Length; bucket++)
        {
            var limited = new RuleBucket(this, bucket).LimitedByTag;
            if (limited.Length > FewRules)
            {
                var tags = limited.ToArray().SelectMany(
                    static rule => rule.Source.Tags, static (rule, tag) => (tag, rule));
                _byTag.Add(bucket, new(tags));
            }
        }
    }

    /// <summary>The rules of one effect that share a pattern and a principal.</summary>
    internal readonly struct RuleBucket(RuleTables tables, int bucket)
    {
        public ReadOnlySpan<CompiledRule> AnyTag =>
            tables._rules.AsSpan(tables._bounds[bucket].First..tables._bounds[bucket].Limited);

        public ReadOnlySpan<CompiledRule> LimitedByTag =>
            tables._rules.AsSpan(tables._bounds[bucket].Limited..tables._bounds[bucket + 1].First);

        public ArraySegment<CompiledRule> All => new(
            tables._rules,
            tables._bounds[bucket].First,
            tables._bounds[bucket + 1].First - tables._bounds[bucket].First);

        /// <summary>Adds what the rules say of a request, as far as it concerns the actions still looked for.</summary>
        public void Collect(in AccessRequest request, ResolvedSubject subject, ref Findings findings)
        {
            foreach (var rule in AnyTag)
            {
                if (findings.AreCompleteBefore(rule))
                {
                    break; // the rules that follow come later by name, too
                }

                findings.Add(rule, in request, subject);
            }

            var limited = LimitedByTag;
            if (limited.Length > FewRules && request.Tag.Tag is { } tag)
            {
                foreach (var rule in tables._byTag[bucket].Find(tag.Value))
                {
                    findings.Add(rule, in request, subject);
                }

                return;
            }

            foreach (var rule in limited)
            {
                findings.Add(rule, in request, subject);
            }
        }
    }

    // The shorter of the two lists is walked and looked up in the longer: a subject in 200 groups costs as little as
    // a pattern with 100,000 users.
    internal ref struct BucketEnumerator
    {
        private readonly RuleTables _tables;
        private readonly int _first;
        private readonly ReadOnlySpan<int> _walked;
        private readonly ReadOnlySpan<int> _searched;
        private readonly bool _walksTable;
        private int _position = -1;
        private int _bucket;

        public BucketEnumerator(RuleTables tables, int first, int end, int[] principals)
        {
            (_tables, _first) = (tables, first);
            var buckets = tables._principals.AsSpan(first..end);
            _walksTable = buckets.Length <= principals.Length;
            _walked = _walksTable ? buckets : principals;
            _searched = _walksTable ? principals : buckets;
        }

        public readonly RuleBucket Current => new(_tables, _bucket);

        public readonly BucketEnumerator GetEnumerator() => this;

        public bool MoveNext()
        {
            while (++_position < _walked.Length)
            {
                var found = _searched.BinarySearch(_walked[_position]);
                if (found >= 0)
                {
                    _bucket = _first + (_walksTable ? _position : found);
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Where a bucket's rules begin, and where those of them that are limited by tag do.</summary>
    private readonly record struct Bounds(int First, int Limited);
}
