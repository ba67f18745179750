using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Gateway.Core.Claims;

/// <summary>A text with claims in it: <c>gh-{repository_owner}</c>.</summary>
public sealed class ClaimTemplate
{
    private readonly (string Literal, ClaimPath? Claim)[] _parts;

    private ClaimTemplate(string text, (string Literal, ClaimPath? Claim)[] parts)
    {
        Text = text;
        _parts = parts;
    }

    /// <summary>As written.</summary>
    public string Text { get; }

    /// <summary>The claims that it names.</summary>
    public IEnumerable<ClaimPath> Claims => _parts.Select(static part => part.Claim).OfType<ClaimPath>();

    /// <summary>Reads a template.</summary>
    /// <param name="text">The text; a claim is in braces.</param>
    /// <param name="template">The template, or <see langword="null"/>.</param>
    /// <returns>
    /// <see langword="false"/> where a brace has no counterpart, or there is no claim's path between two.
    /// </returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out ClaimTemplate? template)
    {
        template = null;
        var parts = new List<(string, ClaimPath?)>();
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf('{', at);
            var literal = open < 0 ? text[at..] : text[at..open];
            if (literal.Contains('}', StringComparison.Ordinal))
            {
                return false;
            }

            if (open < 0)
            {
                parts.Add((literal, null));
                break;
            }

            var close = text.IndexOf('}', open);
            if (close < 0 || ClaimPath.Parse(text[(open + 1)..close]) is not { } claim
                || claim.Text.Contains('{', StringComparison.Ordinal))
            {
                return false;
            }

            parts.Add((literal, claim));
            at = close + 1;
        }

        if (parts.Count == 0)
        {
            return false;
        }

        template = new ClaimTemplate(text, [.. parts]);
        return true;
    }

    /// <summary>The text with the claims' values in it.</summary>
    /// <param name="claims">The payload, an object.</param>
    /// <param name="missing">The first claim that is not there, or is no text or empty.</param>
    /// <returns><see langword="null"/> where one is missing: half a name would be another's.</returns>
    public string? Render(JsonElement claims, out ClaimPath? missing)
    {
        var text = new StringBuilder();
        foreach (var (literal, claim) in _parts)
        {
            text.Append(literal);
            if (claim is null)
            {
                continue;
            }

            if (claim.FindText(claims) is not { Length: > 0 } value)
            {
                missing = claim;
                return null;
            }

            text.Append(value);
        }

        missing = null;
        return text.ToString();
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
