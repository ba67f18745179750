namespace Gateway.Foundation.Configuration;

/// <summary>A problem in a file or setting, described so that a person can fix it. Printed as one line.</summary>
/// <param name="Source">Where it is: <c>gateway.yaml:12:3</c>, or <c>environment GATEWAY__Tls__…</c>.</param>
/// <param name="What">
/// What is wrong, beginning with the key if there is one: <c>tls.certificates[0].key: no such file</c>.
/// </param>
/// <param name="Found">The value found, or <see langword="null"/> if there is none or it is a secret.</param>
/// <param name="Fix">The change that helps, as a sentence.</param>
internal sealed record Problem(string Source, string What, string? Found, string Fix)
{
    private const int LongestFound = 120;

    /// <summary>What it is about, where code must know.</summary>
    public ProblemKind Kind { get; init; }

    /// <inheritdoc/>
    public override string ToString()
    {
        var found = Found is null ? "" : $" (found \"{Shorten(Found)}\")";
        return OneLine($"{Source}: {What}{found}. {Fix}");
    }

    // A value from a file, a key and a file's name can hold anything; they must neither break the line nor flood it.
    private static string Shorten(string text) => text.Length > LongestFound ? text[..LongestFound] + "…" : text;

    private static string OneLine(string text) => string.Concat(text.Select(static c => char.IsControl(c) ? '?' : c));
}
