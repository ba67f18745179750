#pragma warning disable CA1416 // .NET ignores file modes where there are none
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;

namespace Gateway.Client.Login;

/// <summary>
/// docker's own configuration, which podman, skopeo and buildah read as well: which registry has which helper.
/// </summary>
internal sealed class DockerConfiguration(string path)
{
    private const string Helper = "gateway";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // Readers differ on which of two equal names counts.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Where it is.</summary>
    public string Path => path;

    /// <summary>
    /// The file of the current user: <c>$DOCKER_CONFIG/config.json</c>, or <c>~/.docker/config.json</c>.
    /// </summary>
    public static DockerConfiguration Own() => new(System.IO.Path.Combine(
        Environment.GetEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } folder
            ? folder
            : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker"),
        "config.json"));

    /// <summary>
    /// Makes docker use the helper for a registry, and removes the login that docker stored for it. The rest of the
    /// file is unchanged.
    /// </summary>
    /// <exception cref="ProblemException">The file is not understood, or cannot be written.</exception>
    /// <returns>The other helper that docker used for this registry before; usually <see langword="null"/>.</returns>
    public string? UseHelper(string registry)
    {
        string? other = null;
        Edit(root =>
        {
            var helpers = Section(root, "credHelpers") ?? [];
            root["credHelpers"] = helpers;
            Section(root, "auths")?.Remove(registry);
            other = NameIn(helpers, registry) is { } name && name != Helper ? name : null;
            helpers[registry] = Helper;
        });
        return other;
    }

    /// <summary>Makes docker stop using the helper for a registry.</summary>
    public void LeaveHelper(string registry)
    {
        if (File.Exists(path))
        {
            Edit(root =>
            {
                if (Section(root, "credHelpers") is { } helpers && NameIn(helpers, registry) == Helper)
                {
                    helpers.Remove(registry);
                }
            });
        }
    }

    private void Edit(Action<JsonObject> change)
    {
        DurableFolder.Create(System.IO.Path.GetDirectoryName(path)!, OwnerOnly | UnixFileMode.UserExecute);
        AtomicFile.Edit(path, static file => File.Exists(file) ? File.ReadAllBytes(file) : null, content =>
        {
            var root = Parse(content);
            change(root);
            return Encoding.UTF8.GetBytes(root.ToJsonString(Indented) + "\n");
        }, OwnerOnly); // docker keeps passwords in it
    }

    private static string? NameIn(JsonObject helpers, string registry) =>
        helpers[registry] is JsonValue value && value.TryGetValue(out string? name) ? name : null;

    // docker does not understand anything but an object either; removing it is not our decision.
    private JsonObject? Section(JsonObject root, string name) => root[name] switch
    {
        null => null,
        JsonObject section => section,
        _ => throw NotUnderstood($"\"{name}\" is not an object"),
    };

    private JsonObject Parse(byte[]? content)
    {
        if (content is null or [])
        {
            return [];
        }

        try
        {
            return JsonNode.Parse(content, documentOptions: Strict) as JsonObject
                ?? throw new JsonException("it is not an object");
        }
        catch (JsonException exception)
        {
            throw NotUnderstood(exception.Message);
        }
    }

    private ProblemException NotUnderstood(string why) => new(new Problem(
        path, "docker's configuration cannot be parsed, and was not changed", why,
        "Correct it, or sign in with --no-docker and set credHelpers yourself."));
}
