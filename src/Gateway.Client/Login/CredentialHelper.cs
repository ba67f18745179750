using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Core.Tokens;
using Gateway.Foundation.Configuration;

namespace Gateway.Client.Login;

/// <summary>
/// <c>docker-credential-gateway</c>: gives docker, podman and similar clients the login for a registry
/// (docker-credential-helpers, "Development").
/// </summary>
internal sealed class CredentialHelper(LoginFile file, TextReader input, TextWriter output)
{
    /// <summary>Its name, by which docker finds it.</summary>
    public const string ExecutableName = "docker-credential-gateway";

    // docker knows this message, and continues without credentials.
    private const string NotFound = "credentials not found in native keychain";

    private const int LongestInput = 64 * 1024;

    /// <summary>Whether this is an answer to <c>list</c>: an object of registries and user names.</summary>
    public static bool IsList(string answer) =>
        Read(answer, HelperJsonContext.Default.DictionaryStringString) is not null;

    /// <summary>The secret in an answer to <c>get</c>; <see langword="null"/> if there is none.</summary>
    public static string? SecretIn(string answer) => Read(answer, HelperJsonContext.Default.HelperCredentials)?.Secret;

    /// <summary>Does one of <c>get</c>, <c>store</c>, <c>erase</c>, <c>list</c>, <c>version</c>.</summary>
    /// <returns>The exit code. Errors are written to the output: that is what docker shows.</returns>
    public async Task<int> RunAsync(string action, CancellationToken cancellationToken)
    {
        try
        {
            switch (action)
            {
                case "get":
                    return await GetAsync(RegistryAddress.Parse(await ReadAsync(cancellationToken)));
                case "store":
                    Store(await ReadAsync(cancellationToken));
                    return 0;
                case "erase":
                    file.Remove(RegistryAddress.Parse(await ReadAsync(cancellationToken)));
                    return 0;
                case "list":
                    var logins = file.Read().ToDictionary(
                        static login => login.Key, static login => login.Value.UserName);
                    await output.WriteLineAsync(
                        JsonSerializer.Serialize(logins, HelperJsonContext.Default.DictionaryStringString));
                    return 0;
                case "version":
                    await output.WriteLineAsync(
                        $"{ExecutableName} {typeof(CredentialHelper).Assembly.GetName().Version?.ToString(3)}");
                    return 0;
                default:
                    await output.WriteLineAsync(
                        $"{ExecutableName} knows get, store, erase, list and version (found \"{action}\").");
                    return 1;
            }
        }
        catch (ProblemException exception)
        {
            await output.WriteLineAsync(exception.Problems[0].ToString());
            return 1;
        }
    }

    private async Task<int> GetAsync(string registry)
    {
        if (file.Find(registry) is not { } login)
        {
            await output.WriteLineAsync(NotFound);
            return 1;
        }

        // Also an expired one: the registry's refusal reaches the user through docker; a helper's message does not.
        var credentials = new HelperCredentials(
            registry, login.IsRefreshToken ? "<token>" : login.UserName, login.Secret);
        await output.WriteLineAsync(JsonSerializer.Serialize(credentials, HelperJsonContext.Default.HelperCredentials));
        return 0;
    }

    // "docker login" passes the password that was typed, or the refresh token that it received.
    private void Store(string text)
    {
        var given = Read(text, HelperJsonContext.Default.HelperCredentials);
        if (given is not { ServerURL: not null, Username: not null, Secret: not null })
        {
            throw new ProblemException(new Problem(
                ExecutableName, "there is no sign-in to store on standard input", null,
                "Pass ServerURL, Username and Secret as JSON, as docker does."));
        }

        var registry = RegistryAddress.Parse(given.ServerURL);
        file.Set(
            registry,
            new StoredLogin(
                given.Username, given.Secret,
                PresentedSecret.OfPassword(given.Secret).Form == SecretForm.RefreshToken));
    }

    private static T? Read<T>(string text, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(text, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<string> ReadAsync(CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var buffer = new char[4096];
        int read;
        while ((read = await input.ReadAsync(buffer, cancellationToken)) > 0 && text.Length < LongestInput)
        {
            text.Append(buffer, 0, read);
        }

        return text.ToString().Trim();
    }
}
