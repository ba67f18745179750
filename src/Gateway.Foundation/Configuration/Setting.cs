using System.Reflection;

namespace Gateway.Foundation.Configuration;

/// <summary>One property of an options class.</summary>
internal sealed class Setting(PropertyInfo property, SettingType type, bool isNullable, object? defaultValue)
{
    /// <summary>The key in the file: <c>hstsMaxAge</c>.</summary>
    public string Key { get; } = SettingText.KeyOf(property.Name);

    /// <summary>The property; its name is the segment in environment variables.</summary>
    public PropertyInfo Property { get; } = property;

    /// <summary>What it may hold.</summary>
    public SettingType Type { get; } = type;

    /// <summary>Its default.</summary>
    public object? Default { get; } = defaultValue;

    /// <summary>Whether it may be unset altogether.</summary>
    public bool IsNullable { get; } = isNullable;

    /// <inheritdoc cref="RequiredSettingAttribute"/>
    public bool IsRequired { get; } = property.IsDefined(typeof(RequiredSettingAttribute));

    /// <inheritdoc cref="PathSettingAttribute"/>
    public bool IsPath { get; } = property.IsDefined(typeof(PathSettingAttribute));

    /// <inheritdoc cref="SecretSettingAttribute"/>
    public bool IsSecret { get; } = property.IsDefined(typeof(SecretSettingAttribute));

    /// <summary>
    /// Whether its value may be shown: neither a secret nor its neighbour, since a line indented too far, or with
    /// its space forgotten, makes a password part of the user name before it.
    /// </summary>
    public bool IsPrintable { get; } = !property.DeclaringType!.GetProperties().Any(
        static neighbour => neighbour.IsDefined(typeof(SecretSettingAttribute)));

    /// <summary>
    /// The key that names a file with the secret: <c>passwordFile</c>; <see langword="null"/> for a setting that is not
    /// a secret.
    /// </summary>
    public string? FileKey => IsSecret ? Key + "File" : null;

    /// <summary>Whether the section around it needs it: it is required, or has required settings.</summary>
    public bool IsNeeded => IsRequired
        || (!IsNullable && Type is SectionType section && section.Settings.Any(static setting => setting.IsNeeded));
}
