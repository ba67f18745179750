namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// What one request presented as its credentials and how they were judged: for limits, records and metrics.
/// </summary>
/// <param name="Form">What was presented.</param>
/// <param name="UserName">
/// The name presented with it, fit for a log; <see langword="null"/> where there was none.
/// </param>
/// <param name="Outcome">How it was judged.</param>
/// <param name="Reason">Why it was not accepted, for operators; never a secret.</param>
internal sealed record SignInAttempt(SignInForm Form, string? UserName, SignInOutcome Outcome, string? Reason);
