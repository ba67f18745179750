namespace Gateway.Foundation.Configuration;

/// <summary>Why a file could not be read.</summary>
/// <param name="Text">To follow a path or key: <c>no such file</c>; empty if nothing is wrong.</param>
/// <param name="IsDenied">Whether this process may not read it.</param>
internal readonly record struct FileFault(string Text, bool IsDenied = false)
{
    /// <summary>Nothing is wrong.</summary>
    public static readonly FileFault None = new("");

    /// <summary>The kind of a problem with this cause.</summary>
    public ProblemKind Kind => IsDenied ? ProblemKind.FileUnavailable : ProblemKind.Other;

    /// <inheritdoc/>
    public override string ToString() => Text;
}
