using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Authentication;
using Gateway.Configuration;

namespace Gateway.ClientLogin;

/// <summary>docker's own configuration, which podman, skopeo and buildah read as well: which registry has which helper.</summary>
internal sealed class DockerConfiguration(string path)
{
    private const string Helper = "gateway";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Where it is.</summary>
    public string Path => path;

    /// <summary>That of whoever runs this: <c>$DOCKER_CONFIG/config.json</c>, or <c>~/.docker/config.json</c>.</summary>
    public static DockerConfiguration Own() => new(System.IO.Path.Combine(
        Environment.GetEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } folder
            ? folder
            : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker"),
        "config.json"));

    /// <summary>
    /// Has docker ask the helper for a registry, and forget what it stored for it itself. All else in the file stays.
    /// </summary>
    /// <exception cref="ProblemException">The file is not understood, or cannot be written.</exception>
    public void UseHelper(string registry) => Edit(root =>
    {
        (root["auths"] as JsonObject)?.Remove(registry);
        if (root["credHelpers"] is not JsonObject helpers)
        {
            root["credHelpers"] = helpers = [];
        }

        helpers[registry] = Helper;
    });

    /// <summary>Has docker no longer ask the helper for a registry.</summary>
    public void LeaveHelper(string registry)
    {
        if (File.Exists(path))
        {
            Edit(root =>
            {
                if (root["credHelpers"] is JsonObject helpers && (string?)helpers[registry] == Helper)
                {
                    helpers.Remove(registry);
                }
            });
        }
    }

    private void Edit(Action<JsonObject> change)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        AtomicFile.Edit(path, static file => File.Exists(file) ? File.ReadAllBytes(file) : null, content =>
        {
            var root = Parse(content);
            change(root);
            return Encoding.UTF8.GetBytes(root.ToJsonString(Indented) + "\n");
        });
    }

    private JsonObject Parse(byte[]? content)
    {
        if (content is null or [])
        {
            return [];
        }

        try
        {
            return JsonNode.Parse(content) as JsonObject ?? throw new JsonException("it is no object");
        }
        catch (JsonException exception)
        {
            throw new ProblemException(new Problem(
                path, "docker's configuration is not understood, and was left alone", exception.Message,
                "Mend it, or sign in with --no-docker and set credHelpers yourself."));
        }
    }
}
