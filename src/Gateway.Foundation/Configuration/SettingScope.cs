using System.Globalization;

namespace Gateway.Foundation.Configuration;

/// <summary>A validator's view: its key, and where to report what is wrong there.</summary>
internal readonly struct SettingScope(ConfigurationDocument document, string key)
{
    /// <summary>The key: <c>registries[0].host</c>.</summary>
    public string Key { get; } = key;

    /// <summary>
    /// Whether the value could not be read. That is reported already, and the value in the options has no meaning.
    /// </summary>
    public bool IsBroken => document.IsBroken(Key);

    /// <summary>The scope of a property.</summary>
    public SettingScope At(string property) =>
        new(document, Key.Length == 0 ? SettingText.KeyOf(property) : $"{Key}.{SettingText.KeyOf(property)}");

    /// <summary>The scope of an entry of a section whose names the operator chooses.</summary>
    public SettingScope AtName(string name) => new(document, $"{Key}.{name}");

    /// <summary>The scope of a list's item.</summary>
    public SettingScope At(int index) => new(document, string.Create(CultureInfo.InvariantCulture, $"{Key}[{index}]"));

    /// <summary>Reports a problem with the value, unless it could not be read at all.</summary>
    /// <param name="what">What is wrong, to follow the key, without a full stop.</param>
    /// <param name="fix">The change that helps, as a sentence.</param>
    /// <param name="kind">What it is about.</param>
    public void Report(string what, string fix, ProblemKind kind = ProblemKind.Other)
    {
        if (!IsBroken)
        {
            document.Report(Key, what, fix, kind);
        }
    }

    /// <summary>Reports a number outside its range.</summary>
    public void CheckRange(int value, int least, int greatest)
    {
        if (value < least || value > greatest)
        {
            Report(
                string.Create(CultureInfo.InvariantCulture, $"is outside {least} to {greatest}"),
                "Set it to a number in that range.");
        }
    }

    /// <summary>Reports a duration outside its range.</summary>
    public void CheckRange(TimeSpan value, TimeSpan least, TimeSpan greatest)
    {
        if (value < least || value > greatest)
        {
            Report(
                $"is outside {Duration.Format(least)} to {Duration.Format(greatest)}",
                "Set it to a duration in that range.");
        }
    }
}
