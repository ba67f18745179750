namespace Gateway.EndToEndTests.Support;

/// <summary>A Docker Engine with its command.</summary>
internal interface IDockerEngine
{
    /// <summary>Runs <c>docker</c> against this engine.</summary>
    Task<CliResult> DockerAsync(IEnumerable<string> arguments, CliSettings settings);
}
