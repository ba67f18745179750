namespace Gateway.Foundation.Configuration;

/// <summary>
/// Where a value comes from: a place in a file, or an environment variable. Prints as a problem's source.
/// </summary>
/// <param name="Origin">The file as the operator named it, or <c>environment NAME</c>.</param>
/// <param name="Line">From 1; 0 where no line is meant.</param>
/// <param name="Column">From 1; 0 where no line is meant.</param>
internal readonly record struct SourcePosition(string Origin, int Line, int Column) : IComparable<SourcePosition>
{
    private const string Environment = "environment ";

    /// <summary>A file as a whole.</summary>
    public static SourcePosition OfFile(string file) => new(file, 0, 0);

    /// <summary>An environment variable.</summary>
    public static SourcePosition OfEnvironment(string variable) => new(Environment + variable, 0, 0);

    private bool IsEnvironment => Origin.StartsWith(Environment, StringComparison.Ordinal);

    /// <summary>From the first line of a file to its last, and the environment after the files.</summary>
    public int CompareTo(SourcePosition other)
    {
        var order = IsEnvironment.CompareTo(other.IsEnvironment);
        order = order != 0 ? order : string.CompareOrdinal(Origin, other.Origin);
        order = order != 0 ? order : Line.CompareTo(other.Line);
        return order != 0 ? order : Column.CompareTo(other.Column);
    }

    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? Origin : $"{Origin}:{Line}:{Column}";
}
