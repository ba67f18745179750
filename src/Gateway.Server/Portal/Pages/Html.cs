using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;

namespace Gateway.Server.Portal.Pages;

/// <summary>HTML. Built from text by <see cref="Of"/> alone, which encodes every value put into it.</summary>
internal readonly record struct Html(string Text)
{
    /// <summary>Nothing.</summary>
    public static readonly Html Empty = new("");

    /// <summary>HTML with values in it: texts are encoded, HTML stays.</summary>
    public static Html Of(HtmlBuilder html) => new(html.ToString());

    /// <summary>Parts after one another.</summary>
    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts.Select(static part => part.Text)));

    /// <inheritdoc/>
    public override string ToString() => Text;
}

/// <summary>
/// Builds <see cref="Html"/> out of an interpolated string. Values belong between tags or in quoted attributes.
/// </summary>
[InterpolatedStringHandler]
internal readonly struct HtmlBuilder(int literalLength, int formattedCount)
{
    private readonly StringBuilder _text = new(literalLength + (formattedCount * 16));

    public void AppendLiteral(string text) => _text.Append(text);

    public void AppendFormatted(Html html) => _text.Append(html.Text);

    public void AppendFormatted(string? text) => _text.Append(HtmlEncoder.Default.Encode(text ?? ""));

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
