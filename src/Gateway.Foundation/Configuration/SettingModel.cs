using System.Reflection;

namespace Gateway.Foundation.Configuration;

/// <summary>
/// Reads the shape of the configuration from the option classes: there is no second list of keys to maintain.
/// </summary>
internal static class SettingModel
{
    /// <summary>The shape of an options class.</summary>
    /// <exception cref="NotSupportedException">A property has a type that no setting can have.</exception>
    public static SectionType Of(Type optionsClass)
    {
        var defaults = Activator.CreateInstance(optionsClass);
        var nullability = new NullabilityInfoContext();
        var settings = new List<Setting>();
        foreach (var property in optionsClass.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(static property => property.SetMethod is { IsPublic: true })
            .OrderBy(static property => property.MetadataToken)) // as declared; reflection guarantees no order
        {
            var isNullable = nullability.Create(property).WriteState == NullabilityState.Nullable;
            settings.Add(new Setting(property, TypeOf(property.PropertyType), isNullable, property.GetValue(defaults)));
        }

        return new SectionType(optionsClass, settings);
    }

    private static SettingType TypeOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (FormOf(type) is { } form)
        {
            return new ScalarType(form, type);
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>))
        {
            return new ListType(type.GenericTypeArguments[0], TypeOf(type.GenericTypeArguments[0]));
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>)
            && type.GenericTypeArguments[0] == typeof(string))
        {
            return new MapType(type.GenericTypeArguments[1], TypeOf(type.GenericTypeArguments[1]));
        }

        return type.IsClass && type.Assembly != typeof(object).Assembly
            ? Of(type)
            : throw new NotSupportedException($"{type} cannot be the type of a setting");
    }

    private static ScalarForm? FormOf(Type type)
    {
        if (type.IsEnum)
        {
            return ScalarForm.Choice;
        }

        return type == typeof(string) ? ScalarForm.Text
            : type == typeof(int) ? ScalarForm.Integer
            : type == typeof(bool) ? ScalarForm.Boolean
            : type == typeof(TimeSpan) ? ScalarForm.Duration
            : type == typeof(Uri) ? ScalarForm.Url
            : null;
    }
}
