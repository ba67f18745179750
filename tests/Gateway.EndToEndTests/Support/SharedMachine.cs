namespace Gateway.EndToEndTests.Support;

/// <summary>
/// Tests that change what the whole machine shares (host names, trusted certificates, the Docker Engine): one after
/// the other, and with nothing beside them.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SharedMachine : ICollectionFixture<DockerEngine>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "machine";
}
