namespace Gateway.Foundation.Configuration;

/// <summary>
/// What a setting may hold. Binder, environment, JSON Schema and reference all read the options through this.
/// </summary>
internal abstract record SettingType
{
    /// <summary>Its name for people: <c>a list</c>.</summary>
    public abstract string Kind { get; }
}

/// <summary>A section: an options class.</summary>
/// <param name="OptionsClass">The class; it has a constructor without parameters, which sets the defaults.</param>
/// <param name="Settings">Its settings, in the order they are declared.</param>
internal sealed record SectionType(Type OptionsClass, IReadOnlyList<Setting> Settings) : SettingType
{
    /// <inheritdoc/>
    public override string Kind => "a section";

    /// <summary>Every key that the section may have, including the <c>…File</c> of secrets.</summary>
    public IEnumerable<string> Keys => Settings.SelectMany(
        static setting => setting.FileKey is { } fileKey ? (IEnumerable<string>)[setting.Key, fileKey] : [setting.Key]);
}

/// <summary>A <see cref="List{T}"/>.</summary>
internal sealed record ListType(Type ItemClass, SettingType Item) : SettingType
{
    /// <inheritdoc/>
    public override string Kind => "a list";
}

/// <summary>A <see cref="Dictionary{TKey, TValue}"/> by names that the operator chooses.</summary>
internal sealed record MapType(Type ValueClass, SettingType Value) : SettingType
{
    /// <inheritdoc/>
    public override string Kind => "a section";
}

/// <summary>One value.</summary>
/// <param name="Form">How it is written.</param>
/// <param name="ValueClass">Its type, never <see cref="Nullable{T}"/>.</param>
internal sealed record ScalarType(ScalarForm Form, Type ValueClass) : SettingType
{
    /// <inheritdoc/>
    public override string Kind => "one value";
}

/// <summary>How one value is written.</summary>
internal enum ScalarForm
{
    Text,
    Integer,
    Boolean,
    Duration,
    Url,
    Choice,
}
