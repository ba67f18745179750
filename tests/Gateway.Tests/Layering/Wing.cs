namespace Gateway.Tests.Layering;

/// <summary>A part of the source that has its place in the order: an assembly, or a wing of Gateway.Server.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Namespace">The namespace that everything in it begins with.</param>
/// <param name="Uses">The names of all that it may use.</param>
internal sealed record Wing(string Name, string Namespace, IReadOnlyList<string> Uses)
{
    private static readonly string[] Beneath = ["Core", "Foundation"];
    private static readonly string[] InOrder =
        ["Requests", "Store", "Records", "Limits", "SignIn", "Tokens", "Registry", "Portal", "Host"];

    /// <summary>All of them, each after those that it may use.</summary>
    public static IReadOnlyList<Wing> All { get; } =
    [
        new Wing("Core", "Gateway.Core", []),
        new Wing("Foundation", "Gateway.Foundation", ["Core"]),
        .. InOrder.Select(
            static (name, place) => new Wing(name, "Gateway.Server." + name, [.. Beneath, .. InOrder.Take(place)])),
        new Wing("Client", "Gateway.Client", Beneath),
        new Wing("Command", "Gateway", [.. Beneath, .. InOrder, "Client"]),
    ];

    /// <summary>The wing of a namespace; <see langword="null"/> for what is none of ours.</summary>
    public static Wing? Find(string space) => All
        .Where(wing => space == wing.Namespace || space.StartsWith(wing.Namespace + ".", StringComparison.Ordinal))
        .MaxBy(static wing => wing.Namespace.Length);
}
