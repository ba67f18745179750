using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Foundation.Configuration;

/// <summary>The JSON Schema (draft 2020-12) of <c>gateway.yaml</c>, with which editors complete and check it.</summary>
/// <remarks>
/// Everything is written in place, without <c>$ref</c>: editors for earlier drafts ignore what is beside one.
/// </remarks>
internal sealed class ConfigurationSchema
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // it is written to a file, not to a page
    };

    private readonly SettingDocumentation _documentation;

    private ConfigurationSchema(SettingDocumentation documentation) => _documentation = documentation;

    /// <summary>Writes the schema, ending in a line break.</summary>
    public static string Write(SectionType root, SettingDocumentation documentation)
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "gateway.yaml",
            ["description"] = "The configuration of the registry gateway. See docs/configuration.md.",
        };
        foreach (var (key, value) in new ConfigurationSchema(documentation).Describe(root).ToList())
        {
            schema[key] = value?.DeepClone();
        }

        return schema.ToJsonString(Readable) + "\n";
    }

    private JsonObject Describe(SettingType type) => type switch
    {
        SectionType section => DescribeSection(section),
        ListType list => new JsonObject { ["type"] = "array", ["items"] = Describe(list.Item) },
        MapType map => new JsonObject { ["type"] = "object", ["additionalProperties"] = Describe(map.Value) },
        ScalarType scalar => DescribeScalar(scalar),
        _ => throw new NotSupportedException(type.GetType().Name),
    };

    private JsonObject DescribeSection(SectionType section)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        var exclusive = new JsonArray();
        foreach (var setting in section.Settings)
        {
            properties[setting.Key] = DescribeSetting(setting);
            if (setting.FileKey is { } fileKey)
            {
                properties[fileKey] = new JsonObject
                {
                    ["type"] = "string",
                    ["minLength"] = 1,
                    ["description"] = $"Path of a file that holds `{setting.Key}`; one trailing line break is ignored.",
                };
                exclusive.Add(
                    new JsonObject { ["not"] = new JsonObject { ["required"] = new JsonArray(setting.Key, fileKey) } });
            }

            if (setting.IsNeeded && !setting.IsSecret)
            {
                required.Add(setting.Key);
            }
        }

        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
        if (required.Count > 0)
        {
            schema["required"] = required;
        }

        if (exclusive.Count > 0)
        {
            schema["allOf"] = exclusive;
        }

        return schema;
    }

    private JsonObject DescribeSetting(Setting setting)
    {
        var schema = Describe(setting.Type);
        schema["description"] = _documentation.SummaryOf(setting);
        if (setting.IsRequired)
        {
            schema[setting.Type is ListType ? "minItems" : "minLength"] = 1;
        }
        else if (setting.Type is ScalarType && setting.Default is { } value)
        {
            schema["default"] = value switch
            {
                int number => number,
                bool boolean => boolean,
                _ => ScalarParser.Format(value),
            };
        }

        if (setting is { IsNeeded: false, Type: SectionType })
        {
            schema["type"] = new JsonArray("object", "null"); // a key with nothing below it means the defaults
        }

        return schema;
    }

    private static JsonObject DescribeScalar(ScalarType type) => type.Form switch
    {
        ScalarForm.Integer => new JsonObject { ["type"] = "integer" },
        ScalarForm.Boolean => new JsonObject { ["type"] = "boolean" },
        ScalarForm.Duration => new JsonObject { ["type"] = "string", ["pattern"] = Duration.Pattern },
        ScalarForm.Url => new JsonObject { ["type"] = "string", ["format"] = "uri" },
        ScalarForm.Choice => new JsonObject
        {
            ["enum"] = new JsonArray([.. ScalarParser.ChoicesOf(type.ValueClass).Select(static w => (JsonNode)w)]),
        },
        _ => new JsonObject { ["type"] = "string" },
    };
}
