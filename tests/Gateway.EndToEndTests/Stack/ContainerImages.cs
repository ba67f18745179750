using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Stack;

/// <summary>
/// The images that containers are started from: the usual ones where they are here or can be pulled, which is tried;
/// else the stand-ins of <c>compose/local-images</c>.
/// </summary>
internal sealed class ContainerImages(DockerEngine engine)
{
    private static readonly TimeSpan Pulling = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Making = TimeSpan.FromMinutes(8);

    /// <summary>Whether nothing can be pulled here.</summary>
    public bool CannotPull { get; private set; }

    /// <summary>An image's name; <see langword="null"/> where it cannot be had.</summary>
    /// <param name="name">The usual image.</param>
    /// <param name="kind">
    /// What <c>compose/local-images</c> calls the stand-in; <see langword="null"/> where it makes none.
    /// </param>
    /// <param name="standIn">The stand-in's name.</param>
    public async Task<string?> FindAsync(string name, string? kind = null, string? standIn = null)
    {
        if ((await engine.DockerAsync("image", "inspect", name)).ExitCode == 0)
        {
            return name;
        }

        if (!CannotPull)
        {
            if ((await engine.DockerAsync(
                ["pull", "--quiet", name], new CliSettings { Timeout = Pulling })).ExitCode == 0)
            {
                return name;
            }

            CannotPull = true;
        }

        if (kind is null)
        {
            return null;
        }

        (await Cli.RunAsync(Path.Combine(TestPaths.Repository, "compose", "local-images"), [kind], new CliSettings
        {
            Timeout = Making,
            Environment = engine.WithHost(new Dictionary<string, string?>()),
        })).Succeeded();
        return standIn;
    }

    /// <summary>
    /// Builds the gateway's image as <c>compose/up</c> does, so that the engine has its layers from there, or keeps
    /// them for it.
    /// </summary>
    /// <returns>Its name.</returns>
    public async Task<string> BuildGatewayAsync()
    {
        const string Name = "registry-gateway:test";
        var sdk = await FindAsync("mcr.microsoft.com/dotnet/sdk:10.0", "sdk", "gateway-local/sdk:10.0");
        var runtime = await FindAsync("mcr.microsoft.com/dotnet/aspnet:10.0", "runtime", "gateway-local/aspnet:10.0");
        (await engine.DockerAsync(
            [
                "build", "--tag", Name, "--build-arg", $"SDK_IMAGE={sdk}", "--build-arg", $"RUNTIME_IMAGE={runtime}",
                TestPaths.Repository,
            ],
            new CliSettings { Timeout = Making })).Succeeded();
        return Name;
    }
}
