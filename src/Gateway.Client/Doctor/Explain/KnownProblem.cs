namespace Gateway.Client.Doctor.Explain;

/// <summary>A problem that clients have messages for.</summary>
/// <param name="Id">Its name, such as <c>unknown-authority</c>.</param>
/// <param name="Kind">How much its messages say.</param>
/// <param name="Problem">What it is, in one sentence.</param>
/// <param name="Causes">Why it happens, the most likely first.</param>
/// <param name="Next">
/// What to do, in this order; <c>HOST</c> and <c>NAME</c> are placeholders for the registry and the repository.
/// </param>
/// <param name="Checks">Ids of the doctor's checks that find it.</param>
/// <param name="Patterns">Its messages.</param>
internal sealed record KnownProblem(
    string Id,
    ProblemKind Kind,
    string Problem,
    IReadOnlyList<string> Causes,
    IReadOnlyList<string> Next,
    IReadOnlyList<string> Checks,
    IReadOnlyList<KnownPattern> Patterns);
