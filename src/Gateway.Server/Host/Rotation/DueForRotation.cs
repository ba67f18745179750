namespace Gateway.Server.Host.Rotation;

/// <summary>Things of one kind that are due to be replaced.</summary>
/// <param name="Kind">
/// From a fixed list, for a label: <c>signing_key</c>, <c>password</c>, <c>token</c>, <c>certificate</c>,
/// <c>secret</c>.
/// </param>
/// <param name="Names">Each by its name; never a secret.</param>
/// <param name="Fix">What replaces them.</param>
internal sealed record DueForRotation(string Kind, IReadOnlyList<string> Names, string Fix);
