using Gateway.Core.Registry;

namespace Gateway.Core.Tests;

/// <summary>Core stays pure: what decides about access can be read, tested and reused without a server.</summary>
public sealed class DependencyTests
{
    // The base library's assemblies that open files, sockets, processes or consoles.
    private static readonly string[] Impure =
    [
        "System.Net.Sockets", "System.Net.Http", "System.Net.Security", "System.IO.Pipes", "System.Diagnostics.Process",
        "System.Console", "System.IO.FileSystem.Watcher",
    ];

    [Fact]
    public void Core_References_NothingButThePureBaseLibrary()
    {
        var references = typeof(RepositoryName).Assembly.GetReferencedAssemblies()
            .Select(static name => name.Name!)
            .ToList();

        Assert.NotEmpty(references);
        Assert.All(references, static name => Assert.StartsWith("System.", name, StringComparison.Ordinal));
        Assert.DoesNotContain(references, static name => name.StartsWith("Microsoft.", StringComparison.Ordinal));
        Assert.Empty(references.Intersect(Impure));
    }
}
