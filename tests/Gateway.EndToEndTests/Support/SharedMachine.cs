namespace Gateway.EndToEndTests.Support;

/// <summary>
/// Tests that change what the whole machine shares (host names, trusted certificates, the Docker Engine): one after
/// the other, and of those beside them none may do so.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SharedMachine : ICollectionFixture<DockerEngine>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "machine";

    /// <summary>
    /// The trait that every class has whose collection shares the machine, with <see cref="Value"/>. <c>tests/run</c>
    /// runs those in a process of their own, and beside it every other test, which keeps to its own folders and ports.
    /// </summary>
    public const string Trait = "shares";

    /// <summary>The trait's value.</summary>
    public const string Value = "machine";
}
