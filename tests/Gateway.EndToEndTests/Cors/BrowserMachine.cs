using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Cors;

/// <summary>
/// The tests in a browser, which wait for <see cref="SharedMachine"/>'s others: Chromium breaks its requests off
/// whenever an interface or an address of the machine comes or goes, as engines and their containers make them.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class BrowserMachine : ICollectionFixture<Chromium>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "browser";
}
