using System.Globalization;

namespace Gateway.Foundation.Configuration;

/// <summary>Turns the text of one value into its type.</summary>
internal static class ScalarParser
{
    /// <summary>Reads a value.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="text">The text, not empty.</param>
    /// <param name="value">The value, or <see langword="null"/>.</param>
    /// <param name="what">What is wrong, to follow the key.</param>
    /// <param name="fix">What to write.</param>
    public static bool TryParse(ScalarType type, string text, out object? value, out string what, out string fix)
    {
        (value, what, fix) = type.Form switch
        {
            ScalarForm.Integer => ParseNumber(text),
            ScalarForm.Boolean => ParseBoolean(text),
            ScalarForm.Duration => ParseDuration(text),
            ScalarForm.Url => ParseUrl(text),
            ScalarForm.Choice => ParseChoice(type.ValueClass, text),
            _ => (text, "", ""),
        };
        return value is not null;
    }

    /// <summary>Writes a value as in the file.</summary>
    public static string Format(object value) => value switch
    {
        TimeSpan duration => Duration.Format(duration),
        Enum choice => SettingText.ChoiceOf(choice.ToString()),
        bool boolean => boolean ? "true" : "false",
        Uri url => url.OriginalString,
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>The words of a choice, as in the file.</summary>
    public static IEnumerable<string> ChoicesOf(Type choice) => Enum.GetNames(choice).Select(SettingText.ChoiceOf);

    private static (object?, string, string) ParseNumber(string text)
    {
        var isNumber = !text.AsSpan(text[0] == '-' && text.Length > 1 ? 1 : 0).ContainsAnyExceptInRange('0', '9');
        if (!isNumber)
        {
            return (null, "is not an integer", "Write digits only, for example 10.");
        }

        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? (number, "", "")
            : (null, "is too large a number", "Write a smaller number.");
    }

    // YAML 1.1's yes, no, on and off are refused rather than guessed: "no" may also be a host or a country.
    private static (object?, string, string) ParseBoolean(string text) => text switch
    {
        "true" => (true, "", ""),
        "false" => (false, "", ""),
        _ => (null, "is neither true nor false", "Write true or false."),
    };

    private static (object?, string, string) ParseDuration(string text)
    {
        if (Duration.TryParse(text, out var duration))
        {
            return (duration, "", "");
        }

        return text.AsSpan().ContainsAnyExceptInRange('0', '9')
            ? (null, "is not a duration", "Write integers with units (d, h, m, s, ms), such as \"1h30m\".")
            : (null, "has no unit", $"Write \"{text}s\" if seconds are meant, or another unit (d, h, m, s, ms).");
    }

    private static (object?, string, string) ParseUrl(string text)
    {
        // System.Uri reads "/srv" as a file, trims spaces and turns backslashes; what it would correct is refused
        // instead.
        var isUrl = text.Contains("://", StringComparison.Ordinal)
            && !text.AsSpan().ContainsAnyExceptInRange('!', '~')
            && !text.Contains('\\', StringComparison.Ordinal)
            && Uri.TryCreate(text, UriKind.Absolute, out _);
        return isUrl
            ? (new Uri(text), "", "")
            : (null, "is not an absolute URL", "Write scheme and host, for example \"https://registry.example.com\".");
    }

    private static (object?, string, string) ParseChoice(Type choice, string text)
    {
        foreach (var name in Enum.GetNames(choice))
        {
            if (string.Equals(SettingText.ChoiceOf(name), text, StringComparison.Ordinal))
            {
                return (Enum.Parse(choice, name), "", "");
            }
        }

        return (null, "is not one of its values", $"Write one of: {string.Join(", ", ChoicesOf(choice))}.");
    }
}
