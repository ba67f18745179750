using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gateway.Tests.Server.Tokens.Credentials;

/// <summary>
/// An OpenAPI 3.1 document, and whether answers are as it says. It knows the keywords that the gateway's own document
/// uses, and throws at any other, so that nothing in there is believed unchecked.
/// </summary>
internal sealed class OpenApiDescription(JsonElement root)
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

    /// <summary>Every answer that is described: <c>post /api/v1/tokens 201</c>.</summary>
    public IEnumerable<string> Answers =>
        from path in root.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject().Where(static member => Methods.Contains(member.Name))
        from response in operation.Value.GetProperty("responses").EnumerateObject()
        select $"{operation.Name} {path.Name} {response.Name}";

    /// <summary>The paths with their methods, in upper case.</summary>
    public Dictionary<string, string[]> Routes => root.GetProperty("paths").EnumerateObject().ToDictionary(
        static path => path.Name,
        static path => path.Value.EnumerateObject().Select(static member => member.Name).Where(Methods.Contains)
            .Select(static name => name.ToUpperInvariant()).ToArray());

    /// <summary>A named schema.</summary>
    public JsonElement Schema(string name) => root.GetProperty("components").GetProperty("schemas").GetProperty(name);

    /// <summary>Compares an answer with its description.</summary>
    /// <returns>The answer's name, as in <see cref="Answers"/>.</returns>
    public async Task<string> CheckAsync(HttpResponseMessage answer, string method, string template)
    {
        var status = ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture);
        var name = $"{method.ToLowerInvariant()} {template} {status}";
        var responses = root.GetProperty("paths").GetProperty(template)
            .GetProperty(method.ToLowerInvariant()).GetProperty("responses");
        Assert.True(responses.TryGetProperty(status, out var response), $"{name} is not described");
        response = Resolve(response);
        foreach (var header in Members(response, "headers"))
        {
            Assert.True(answer.Headers.TryGetValues(header.Name, out var values), $"{name}: no {header.Name}");
            Check(
                JsonSerializer.SerializeToElement(Assert.Single(values)), Resolve(header.Value).GetProperty("schema"),
                name);
        }

        var body = await answer.Content.ReadAsByteArrayAsync();
        var content = Members(response, "content").ToList();
        if (content.Count == 0)
        {
            Assert.Empty(body);
            return name;
        }

        var media = Assert.Single(content);
        Assert.Equal(media.Name, answer.Content.Headers.ContentType?.ToString());
        using var document = JsonDocument.Parse(body);
        Check(document.RootElement, media.Value.GetProperty("schema"), name);
        return name;
    }

    /// <summary>Asserts that a value is as a schema says.</summary>
    public void Check(JsonElement value, JsonElement schema, string where)
    {
        foreach (var keyword in schema.EnumerateObject())
        {
            var operand = keyword.Value;
            var good = keyword.Name switch
            {
                "description" or "examples" => true,
                "$ref" => CheckNested(value, Resolve(schema), where),
                "type" => operand.ValueKind == JsonValueKind.Array
                    ? operand.EnumerateArray().Any(type => IsOfType(value, type.GetString()!))
                    : IsOfType(value, operand.GetString()!),
                "enum" => operand.EnumerateArray().Any(item => JsonElement.DeepEquals(item, value)),
                "anyOf" => operand.EnumerateArray().Any(item => Matches(value, item, where)),
                "pattern" =>
                    value.ValueKind != JsonValueKind.String
                    || new Regex(operand.GetString()!).IsMatch(value.GetString()!),
                "minLength" =>
                    value.ValueKind != JsonValueKind.String || value.GetString()!.Length >= operand.GetInt32(),
                "maxLength" =>
                    value.ValueKind != JsonValueKind.String || value.GetString()!.Length <= operand.GetInt32(),
                "minItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() >= operand.GetInt32(),
                "maxItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() <= operand.GetInt32(),
                "format" => operand.GetString() == "date-time"
                    && (value.ValueKind != JsonValueKind.String || value.TryGetDateTimeOffset(out _)),
                "items" => value.ValueKind != JsonValueKind.Array
                    || value.EnumerateArray().All(item => CheckNested(item, operand, where + "[]")),
                "required" => value.ValueKind != JsonValueKind.Object
                    || operand.EnumerateArray().All(member => value.TryGetProperty(member.GetString()!, out _)),
                "properties" => value.ValueKind != JsonValueKind.Object || operand.EnumerateObject().All(member =>
                    !value.TryGetProperty(member.Name, out var inner)
                    || CheckNested(inner, member.Value, $"{where}.{member.Name}")),
                "additionalProperties" => value.ValueKind != JsonValueKind.Object || value.EnumerateObject()
                    .Where(
                        member => !schema.TryGetProperty("properties", out var known)
                            || !known.TryGetProperty(member.Name, out _))
                    .All(
                        member => operand.ValueKind == JsonValueKind.Object
                            && CheckNested(member.Value, operand, where)),
                _ => throw new NotSupportedException($"keyword {keyword.Name}"),
            };
            Assert.True(good, $"{where}: {value} is not as \"{keyword.Name}\": {operand} says");
        }
    }

    private bool CheckNested(JsonElement value, JsonElement schema, string where)
    {
        Check(value, schema, where);
        return true;
    }

    private bool Matches(JsonElement value, JsonElement schema, string where)
    {
        try
        {
            Check(value, schema, where);
            return true;
        }
        catch (Xunit.Sdk.XunitException)
        {
            return false;
        }
    }

    private static bool IsOfType(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "null" => value.ValueKind == JsonValueKind.Null,
        _ => throw new NotSupportedException($"type {type}"),
    };

    private static JsonElement.ObjectEnumerator Members(JsonElement value, string name) =>
        value.TryGetProperty(name, out var members) ? members.EnumerateObject() : default;

    private JsonElement Resolve(JsonElement value)
    {
        if (!value.TryGetProperty("$ref", out var reference))
        {
            return value;
        }

        return reference.GetString()!.Split('/')[1..].Aggregate(root, static (at, name) => at.GetProperty(name));
    }
}
