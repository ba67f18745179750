using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;

namespace Gateway.Server.Host.Control;

/// <summary>Asks the running gateway on this machine about the files that it reads again.</summary>
internal static class RunningFiles
{
    /// <summary>
    /// What it says of each kind; <see langword="null"/> where none runs, or none that knows the question.
    /// </summary>
    public static async Task<FilesReport?> ReadAsync(GatewayOptions options, CancellationToken cancellationToken)
    {
        var path = ControlSocket.PathOf(options);
        if (!ControlSocket.IsServed(path))
        {
            return null;
        }

        try
        {
            return await AskAsync(
                path, HttpMethod.Get, FilesEndpoint.Path, FilesJsonContext.Default.FilesReport, cancellationToken);
        }
        catch (Exception exception)
            when (exception is HttpRequestException or JsonException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>Has the users read again.</summary>
    /// <param name="options">The configuration that the gateway runs with.</param>
    /// <param name="isAccepted">Whether they are meant although many are gone.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProblemException">No gateway answers.</exception>
    public static async Task<FilesStanding> ReloadUsersAsync(
        GatewayOptions options, bool isAccepted, CancellationToken cancellationToken)
    {
        var path = ControlSocket.PathOf(options);
        try
        {
            return await AskAsync(
                path,
                HttpMethod.Post,
                FilesEndpoint.UsersPath + (isAccepted ? FilesEndpoint.Accept : ""),
                FilesJsonContext.Default.FilesStanding,
                cancellationToken);
        }
        catch (Exception exception)
            when (exception is HttpRequestException or JsonException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ProblemException(new Problem(
                path, "the gateway does not answer", exception.Message,
                "Run this command on the gateway's machine, as the gateway's user, with the same configuration."));
        }
    }

    private static async Task<T> AskAsync<T>(
        string path, HttpMethod method, string target, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var client = ControlSocket.CreateClient(path);
        client.Timeout = TimeSpan.FromSeconds(30); // it looks for as long as files do not keep still
        using var request = new HttpRequestMessage(method, target);
        using var answer = await client.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(cancellationToken), type)
            ?? throw new JsonException("an empty answer");
    }
}
