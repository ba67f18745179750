namespace Gateway.Server.Requests.Reloading;

/// <summary>What a loader is told of the value that it is to replace.</summary>
/// <typeparam name="T">The snapshot's type.</typeparam>
/// <param name="InForce">
/// What is in force; <see langword="null"/> at a start, when there is no last good one to keep.
/// </param>
/// <param name="IsAccepted">
/// Whether an operator said that files which would be held back as suspicious are meant.
/// </param>
internal readonly record struct Replacement<T>(T? InForce, bool IsAccepted)
    where T : class;
