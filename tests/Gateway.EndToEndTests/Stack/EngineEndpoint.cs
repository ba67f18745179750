using Docker.DotNet;
using Docker.DotNet.Handler.Abstractions;
using DotNet.Testcontainers.Configurations;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Stack;

/// <summary>
/// The tests' engine, for Testcontainers: spoken to in the engine's own version, where the library asks for API 1.44,
/// which engines before 25 refuse.
/// </summary>
internal sealed class EngineEndpoint : IDockerEndpointAuthenticationConfiguration
{
    private readonly DockerEndpointAuthenticationConfiguration _inner;

    private EngineEndpoint(Uri endpoint, Version version)
    {
        _inner = new DockerEndpointAuthenticationConfiguration(endpoint);
        Version = version;
    }

    /// <inheritdoc/>
    public Version Version { get; }

    /// <inheritdoc/>
    public Uri Endpoint => _inner.Endpoint;

    /// <inheritdoc/>
    public IAuthProvider AuthProvider => _inner.AuthProvider;

    /// <summary>Finds it as <c>docker</c> does.</summary>
    public static async Task<EngineEndpoint> FindAsync(DockerEngine engine) => new(
        new Uri((await engine.DockerAsync("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")).Succeeded()),
        Version.Parse((await engine.DockerAsync("version", "--format", "{{.Server.APIVersion}}")).Succeeded()));

    /// <inheritdoc/>
    public DockerClientBuilder GetDockerClientBuilder(Guid sessionId) =>
        _inner.GetDockerClientBuilder(sessionId).WithApiVersion(Version);
}
