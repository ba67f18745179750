#pragma warning disable CA1416 // .NET ignores file modes where there are none
using System.Text.Json;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Files;

namespace Gateway.Client.Login;

/// <summary>The logins of one person on one machine, in a file that only they can read.</summary>
internal sealed class LoginFile(string path)
{
    /// <summary>The variable that names another place for the file.</summary>
    public const string Variable = "REGISTRY_GATEWAY_LOGINS";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Where the file is.</summary>
    public string Path => path;

    /// <summary>The file of the current user: <c>~/.config/registry-gateway/logins.json</c>.</summary>
    public static LoginFile Own()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return new LoginFile(System.IO.Path.GetFullPath(named));
        }

        var folder = Environment.GetFolderPath(
            Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return new LoginFile(System.IO.Path.Combine(folder, "registry-gateway", "logins.json"));
    }

    /// <summary>All logins.</summary>
    /// <exception cref="ProblemException">The file cannot be read.</exception>
    public IReadOnlyDictionary<string, StoredLogin> Read() => Parse(ReadBytes(path)).Logins;

    /// <summary>The login at a registry.</summary>
    public StoredLogin? Find(string registry) => Read().GetValueOrDefault(registry);

    /// <summary>Stores a login, and replaces an earlier one.</summary>
    public void Set(string registry, StoredLogin login) => Edit(logins =>
    {
        logins[registry] = login;
        return true;
    });

    /// <summary>Removes a login, and returns whether there was one.</summary>
    public bool Remove(string registry)
    {
        var removed = false;
        if (File.Exists(path))
        {
            Edit(logins => removed = logins.Remove(registry));
        }

        return removed;
    }

    private void Edit(Func<Dictionary<string, StoredLogin>, bool> change)
    {
        DurableFolder.Create(System.IO.Path.GetDirectoryName(path)!, OwnerOnly | UnixFileMode.UserExecute);
        if (!File.Exists(path))
        {
            // Created with its mode, so that others can never read the secret, not even for a moment.
            using var made = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
            });
        }

        AtomicFile.Edit(path, ReadBytes, content =>
        {
            var document = Parse(content);
            return change(document.Logins)
                ? JsonSerializer.SerializeToUtf8Bytes(document, LoginJsonContext.Default.LoginDocument)
                : null;
        });
    }

    private static byte[]? ReadBytes(string file) => File.Exists(file) ? File.ReadAllBytes(file) : null;

    private LoginDocument Parse(byte[]? content)
    {
        if (content is null or [])
        {
            return new LoginDocument();
        }

        try
        {
            return JsonSerializer.Deserialize(content, LoginJsonContext.Default.LoginDocument) is { } document
                && !document.Logins.ContainsValue(null!)
                    ? document
                    : throw new JsonException("it holds null where an object belongs");
        }
        catch (JsonException exception)
        {
            throw new ProblemException(new Problem(
                path, "the file of logins cannot be parsed", exception.Message,
                "Remove it, and sign in again: gateway login."));
        }
    }
}
