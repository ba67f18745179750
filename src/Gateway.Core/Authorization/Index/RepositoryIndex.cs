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

    private readonly record struct Node(
        int Any, int Subject, int Spanning, int Pattern, bool HasLiterals, GlobIndex<int>? Globs);

    /// <summary>Collects patterns and numbers them, equal ones alike.</summary>
    internal sealed class Builder
    {
        private readonly List<MutableNode> _nodes = [new()];
        private readonly Dictionary<string, int> _literals = new(StringComparer.Ordinal);
        private readonly Dictionary<long, int> _literalEdges = [];

        public int PatternCount { get; private set; }

        /// <summary>The pattern's number, from 0.</summary>
        public int Add(RepositoryPattern pattern)
        {
            var node = Root;
            foreach (var segment in pattern.Segments)
            {
                node = Child(node, segment);
            }

            var end = _nodes[node];
            if (end.Pattern == None)
            {
                end.Pattern = PatternCount++;
            }

            return end.Pattern;
        }

        public RepositoryIndex Build() => new(
            [.. _nodes.Select(static node => new Node(
                node.Any, node.Subject, node.Spanning, node.Pattern, node.HasLiterals, node.BuildGlobs()))],
            _literals,
            _literalEdges);

        private int Child(int node, PatternSegment segment)
        {
            var from = _nodes[node];
            switch (segment.Kind)
            {
                case PatternSegmentKind.Any:
                    return from.Any == None ? from.Any = Create() : from.Any;
                case PatternSegmentKind.Subject:
                    return from.Subject == None ? from.Subject = Create() : from.Subject;
                case PatternSegmentKind.Spanning:
                    return from.Spanning == None ? from.Spanning = Create() : from.Spanning;
                case PatternSegmentKind.Glob:
                    from.Globs ??= new(StringComparer.Ordinal);
                    if (!from.Globs.TryGetValue(segment.Text, out var known))
                    {
                        from.Globs.Add(segment.Text, known = (segment.Glob!, Create()));
                    }

                    return known.Child;
                default:
                    from.HasLiterals = true;
                    if (!_literals.TryGetValue(segment.Text, out var literal))
                    {
                        _literals.Add(segment.Text, literal = _literals.Count);
                    }

                    if (!_literalEdges.TryGetValue(Edge(node, literal), out var child))
                    {
                        _literalEdges.Add(Edge(node, literal), child = Create());
                    }

                    return child;
            }
        }

        private int Create()
        {
            _nodes.Add(new());
            return _nodes.Count - 1;
        }
    }

    private sealed class MutableNode
    {
        public int Any { get; set; } = None;

        public int Subject { get; set; } = None;

        public int Spanning { get; set; } = None;

        public int Pattern { get; set; } = None;

        public bool HasLiterals { get; set; }

        public Dictionary<string, (Glob Glob, int Child)>? Globs { get; set; }

        public GlobIndex<int>? BuildGlobs() => Globs is null ? null : new(Globs.Values);
    }
}
