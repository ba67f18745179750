namespace Gateway.Client.Doctor;

/// <summary>What is known about a problem in general: the page <c>docs/problems/ID.md</c>.</summary>
/// <param name="Id"><c>TLS004</c>.</param>
/// <param name="Title">A sentence without a full stop.</param>
/// <param name="Means">What it means, and what people see of it.</param>
/// <param name="Causes">What causes it, the most frequent first.</param>
/// <param name="Fix">What helps, in order; commands are in backquotes.</param>
/// <param name="See">Where it is described further, from the folder of the documentation.</param>
internal sealed record ProblemPage(
    string Id,
    string Title,
    string Means,
    IReadOnlyList<string> Causes,
    IReadOnlyList<string> Fix,
    IReadOnlyList<string> See);
