using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// A program that people use with a registry, with credentials and images of its own. Image names are given without the
/// host: <c>team-a/app:1</c>.
/// </summary>
internal abstract class RegistryClient(ClientGateway gateway) : IAsyncDisposable
{
    /// <summary>The gateway that it talks to.</summary>
    protected ClientGateway Gateway { get; } = gateway;

    /// <summary>A folder of its own.</summary>
    protected string Folder { get; } = Directory.CreateTempSubdirectory("gateway-client-").FullName;

    /// <summary>Signs in; what it stores stays until <see cref="LogoutAsync"/>.</summary>
    public abstract Task<CliResult> LoginAsync(string user, string password);

    /// <summary>Forgets the credentials.</summary>
    public abstract Task<CliResult> LogoutAsync();

    /// <summary>Pushes an image.</summary>
    public abstract Task<CliResult> PushAsync(TestImage image, string name);

    /// <summary>Pushes an image that this client has pushed to <paramref name="from"/> before.</summary>
    public virtual Task<CliResult> PushAgainAsync(TestImage image, string from, string name) => PushAsync(image, name);

    /// <summary>Lets it remember where an image that it pushed lies, if it does not by itself.</summary>
    public virtual Task RememberAsync(string name) => Task.CompletedTask;

    /// <summary>Pulls an image of which this client has nothing any more.</summary>
    public abstract Task<CliResult> PullAsync(string name);

    public virtual ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>The name as it is typed.</summary>
    protected string Remote(string name) => $"{Gateway.Authority}/{name}";
}
