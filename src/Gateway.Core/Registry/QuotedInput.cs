namespace Gateway.Core.Registry;

/// <summary>
/// Client input made fit for a message: cut to length, without quotes or anything that moves a cursor.
/// </summary>
internal static class QuotedInput
{
    private const int MaxLength = 64;

    public static string Of(ReadOnlySpan<char> input)
    {
        var shown = input[..Math.Min(input.Length, MaxLength)];
        return string.Create(shown.Length + (shown.Length < input.Length ? 3 : 2), shown, static (text, shown) =>
        {
            text.Fill('…');
            text[0] = '"';
            text[^1] = '"';
            for (var i = 0; i < shown.Length; i++)
            {
                text[i + 1] = shown[i] switch
                {
                    '"' => '\'',
                    >= ' ' and <= '~' => shown[i],
                    _ => '?', // control characters forge log lines, others imitate them
                };
            }
        });
    }
}
