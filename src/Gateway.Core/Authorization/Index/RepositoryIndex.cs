using System.Runtime.InteropServices;

namespace Gateway.Core.Authorization.Index;

/// <summary>All repository patterns as one tree of segments, walked once for each question.</summary>
/// <remarks>
/// The walk keeps a set of nodes and takes one segment of the repository after the other, so it never backtracks:
/// the cost grows with the segments and with the patterns that really match so far, not with the patterns there are.
/// </remarks>
internal sealed class RepositoryIndex
{
    private const int None = -1;
    private const int Root = 0;

    private readonly Node[] _nodes;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _literals;
    private readonly Dictionary<long, int> _literalEdges;

    private RepositoryIndex(Node[] nodes, Dictionary<string, int> literals, Dictionary<long, int> literalEdges)
    {
        _nodes = nodes;
        _literals = literals.GetAlternateLookup<ReadOnlySpan<char>>();
        _literalEdges = literalEdges;
    }

    /// <summary>Adds the number of each pattern that matches, once.</summary>
    /// <param name="repository">The repository's name.</param>
    /// <param name="subjectSegment">
    /// The value of <c>${subject}</c>; <see langword="null"/> where it matches nothing.
    /// </param>
    /// <param name="patterns">Receives the numbers that <see cref="Builder.Add"/> gave.</param>
    public void Match(ReadOnlySpan<char> repository, string? subjectSegment, ref IntList patterns)
    {
        var current = new IntList(stackalloc int[16]);
        var next = new IntList(stackalloc int[16]);
        var spanning = new IntList(stackalloc int[16]); // ** nodes: once reached they stay, as they take any segment
        Enter(Root, ref current, ref spanning);
        while (true)
        {
            var slash = repository.IndexOf('/');
            var segment = slash < 0 ? repository : repository[..slash];
            var literal = _literals.TryGetValue(segment, out var id) ? id : None;
            var reachedBefore = spanning.Count;
            next.Clear();
            foreach (var node in current.Items)
            {
                Step(node, segment, literal, subjectSegment, ref next, ref spanning);
            }

            for (var i = 0; i < reachedBefore; i++)
            {
                Step(spanning[i], segment, literal, subjectSegment, ref next, ref spanning);
            }

            if (slash < 0)
            {
                // A final ** needs a segment of its own: those reached by the last segment do not count.
                AddPatterns(next.Items, ref patterns);
                AddPatterns(spanning.Items[..reachedBefore], ref patterns);
                break;
            }

            repository = repository[(slash + 1)..];
            var swap = current;
            current = next;
            next = swap;
        }

        current.Dispose();
        next.Dispose();
        spanning.Dispose();
    }

    private void Step(
        int node,
        ReadOnlySpan<char> segment,
        int literal,
        string? subjectSegment,
        ref IntList next,
        ref IntList spanning)
    {
        ref readonly var from = ref _nodes[node];
        if (literal != None && from.HasLiterals && _literalEdges.TryGetValue(Edge(node, literal), out var child))
        {
            Enter(child, ref next, ref spanning);
        }

        if (from.Any != None)
        {
            Enter(from.Any, ref next, ref spanning);
        }

        if (from.Subject != None && subjectSegment is not null && segment.SequenceEqual(subjectSegment))
        {
            Enter(from.Subject, ref next, ref spanning);
        }

        if (from.Globs is not null)
        {
            foreach (var match in from.Globs.Find(segment))
            {
                Enter(match, ref next, ref spanning);
            }
        }
    }

    // A ** node reached a second time adds nothing to the first time: it has been taking segments since then.
    private void Enter(int node, ref IntList list, ref IntList spanning)
    {
        list.Add(node);
        var span = _nodes[node].Spanning;
        if (span != None && !spanning.Items.Contains(span))
        {
            spanning.Add(span);
        }
    }

    private void AddPatterns(scoped ReadOnlySpan<int> nodes, ref IntList patterns)
    {
        foreach (var node in nodes)
        {
            if (_nodes[node].Pattern != None)
            {
                patterns.Add(_nodes[node].Pattern);
            }
        }
    }

    private static long Edge(int node, int literal) => ((long)node << 32) | (uint)literal;

    /// <summary>One place in the tree: numbers of the nodes that follow, and of the pattern that ends here.</summary>
    private struct Node()
    {
        public int Any = None;
        public int Subject = None;
        public int Spanning = None;
        public int Pattern = None;
        public bool HasLiterals;
        public GlobIndex<int>? Globs;
    }

    /// <summary>Collects patterns and numbers them, equal ones alike.</summary>
    internal sealed class Builder
    {
        private readonly List<Node> _nodes = [new()];
        private readonly Dictionary<string, int> _literals = new(StringComparer.Ordinal);
        private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _literalsBySpan;
        private readonly Dictionary<long, int> _literalEdges = [];
        private readonly Dictionary<int, Dictionary<string, (Glob Glob, int Child)>> _globs = [];

        public Builder() => _literalsBySpan = _literals.GetAlternateLookup<ReadOnlySpan<char>>();

        public int PatternCount { get; private set; }

        /// <summary>The pattern's number, from 0.</summary>
        public int Add(RepositoryPattern pattern)
        {
            var node = Root;
            var before = PatternSegmentKind.Literal;
            var text = pattern.Text.AsSpan();
            foreach (var range in text.Split('/'))
            {
                var segment = text[range];
                var kind = RepositoryPattern.KindOf(segment);
                if (kind != PatternSegmentKind.Spanning || before != kind) // ** after ** adds nothing
                {
                    node = Child(node, kind, segment);
                }

                before = kind;
            }

            ref var number = ref At(node).Pattern;
            if (number == None)
            {
                number = PatternCount++;
            }

            return number;
        }

        public RepositoryIndex Build()
        {
            foreach (var (node, globs) in _globs)
            {
                At(node).Globs = new(globs.Values);
            }

            _literals.TrimExcess();
            _literalEdges.TrimExcess();
            return new([.. _nodes], _literals, _literalEdges);
        }

        private ref Node At(int node) => ref CollectionsMarshal.AsSpan(_nodes)[node];

        private int Child(int node, PatternSegmentKind kind, ReadOnlySpan<char> segment)
        {
            switch (kind)
            {
                case PatternSegmentKind.Any:
                    if (At(node).Any == None)
                    {
                        var created = Create(); // first: the list of nodes may move
                        At(node).Any = created;
                    }

                    return At(node).Any;
                case PatternSegmentKind.Subject:
                    if (At(node).Subject == None)
                    {
                        var created = Create();
                        At(node).Subject = created;
                    }

                    return At(node).Subject;
                case PatternSegmentKind.Spanning:
                    if (At(node).Spanning == None)
                    {
                        var created = Create();
                        At(node).Spanning = created;
                    }

                    return At(node).Spanning;
                case PatternSegmentKind.Glob:
                    return GlobChild(node, segment.ToString());
                default:
                    return LiteralChild(node, segment);
            }
        }

        private int GlobChild(int node, string segment)
        {
            if (!_globs.TryGetValue(node, out var globs))
            {
                _globs.Add(node, globs = new(StringComparer.Ordinal));
            }

            if (!globs.TryGetValue(segment, out var known))
            {
                globs.Add(segment, known = (new Glob(segment), Create()));
            }

            return known.Child;
        }

        private int LiteralChild(int node, ReadOnlySpan<char> segment)
        {
            At(node).HasLiterals = true;
            if (!_literalsBySpan.TryGetValue(segment, out var literal))
            {
                _literals.Add(segment.ToString(), literal = _literals.Count);
            }

            ref var child = ref CollectionsMarshal.GetValueRefOrAddDefault(
                _literalEdges, Edge(node, literal), out var isKnown);
            return isKnown ? child : child = Create();
        }

        private int Create()
        {
            _nodes.Add(new());
            return _nodes.Count - 1;
        }
    }
}
