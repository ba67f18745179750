using System.Reflection;

namespace Gateway.EndToEndTests.Support;

/// <summary>What <c>tests/run</c> runs side by side: nothing that shares the machine is among the rest.</summary>
public sealed class SharedMachineTests
{
    [Fact]
    public void Classes_WhoseCollectionHasTheMachineForItself_AreThoseWithTheTrait()
    {
        var assembly = typeof(SharedMachineTests).Assembly;
        var alone = assembly.GetTypes()
            .SelectMany(static type => Arguments<CollectionDefinitionAttribute>(type)
                .Where(_ => type.GetCustomAttribute<CollectionDefinitionAttribute>()!.DisableParallelization))
            .Select(static arguments => arguments[0])
            .ToHashSet();
        var sharing = assembly.GetTypes().Where(
            type => Arguments<CollectionAttribute>(type).Any(names => alone.Contains(names[0])));
        var marked = assembly.GetTypes().Where(static type => Arguments<TraitAttribute>(type)
            .Any(static arguments => arguments is [SharedMachine.Trait, SharedMachine.Value]));

        Assert.NotEmpty(sharing);
        Assert.Equal(sharing.Select(static type => type.Name).Order(), marked.Select(static type => type.Name).Order());
    }

    // xUnit's attributes do not tell what they were made with.
    private static IEnumerable<string[]> Arguments<T>(Type type) => type.CustomAttributes
        .Where(static attribute => attribute.AttributeType == typeof(T))
        .Select(
            static attribute => attribute.ConstructorArguments.Select(
                static argument => (string)argument.Value!).ToArray());
}
