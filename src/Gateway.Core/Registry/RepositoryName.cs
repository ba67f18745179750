using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Registry;

/// <summary>
/// A repository's name, such as <c>team/app</c>: the one canonical form used for policy, upstream and logs.
/// </summary>
/// <remarks>
/// Grammar: OCI distribution specification, "Pulling manifests". Lower case only: the registry itself also accepts
/// upper case and a port in the first segment, which would give one repository two spellings.
/// </remarks>
public sealed record RepositoryName
{
    /// <summary>The longest name accepted, in characters. Distribution 2.8 answers 500 beyond it.</summary>
    public const int MaxLength = 255;

    private RepositoryName(string value) => Value = value;

    /// <summary>The name as text.</summary>
    public string Value { get; }

    /// <summary>Reads a repository name that a client sent.</summary>
    /// <param name="text">Untrusted text, already percent-decoded.</param>
    /// <param name="name">The name, or <see langword="null"/> where the text is not one.</param>
    /// <returns><see langword="false"/> for anything outside the grammar; it never throws.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out RepositoryName? name)
    {
        name = IsValid(text) ? new RepositoryName(text.ToString()) : null;
        return name is not null;
    }

    /// <summary>Reads a name that this program or its configuration wrote.</summary>
    /// <exception cref="FormatException">The text is not a repository name.</exception>
    public static RepositoryName Parse(string text) =>
        TryParse(text, out var name) ? name : throw new FormatException($"\"{text}\" is not a repository name");

    /// <inheritdoc/>
    public override string ToString() => Value;

    // One pass: runs of [a-z0-9], joined by ".", "_", "__" or any number of "-", in segments joined by "/".
    internal static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text.Length > MaxLength)
        {
            return false;
        }

        var position = 0;
        while (true)
        {
            if (!SkipAlphanumeric(text, ref position))
            {
                return false;
            }

            if (position == text.Length)
            {
                return true;
            }

            switch (text[position])
            {
                case '/' or '.':
                    position++;
                    break;
                case '_':
                    position += position + 1 < text.Length && text[position + 1] == '_' ? 2 : 1;
                    break;
                case '-':
                    while (position < text.Length && text[position] == '-')
                    {
                        position++;
                    }

                    break;
                default:
                    return false;
            }
        }
    }

    private static bool SkipAlphanumeric(ReadOnlySpan<char> text, ref int position)
    {
        var start = position;
        while (position < text.Length && text[position] is (>= 'a' and <= 'z') or (>= '0' and <= '9'))
        {
            position++;
        }

        return position > start;
    }
}
