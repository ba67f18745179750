using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// Every client's tests, on one gateway: one after the other, since they share the machine's host names, trusted
/// certificates and engines.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ClientMachine
    : ICollectionFixture<ClientsFixture>, ICollectionFixture<DockerEngine>, ICollectionFixture<ContainerdEngine>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "clients";
}
