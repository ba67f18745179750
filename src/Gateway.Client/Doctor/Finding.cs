namespace Gateway.Client.Doctor;

/// <summary>What a check found, or that it found nothing.</summary>
/// <param name="Id">
/// The problem's id, <c>TLS004</c>, whose page is <c>docs/problems/TLS004.md</c>; or the area, <c>TLS</c>, if nothing
/// is wrong.
/// </param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Subject">What was checked: a file, an address, a setting, a rule.</param>
/// <param name="Evidence">What was found. Never a secret.</param>
/// <param name="Fix">What to do here, a command or a line to paste; <see langword="null"/>: as the page says.</param>
internal sealed record Finding(string Id, Severity Severity, string Subject, string Evidence, string? Fix = null);
