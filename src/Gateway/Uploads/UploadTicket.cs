namespace Gateway.Uploads;

/// <summary>
/// What the <c>Location</c> of an upload carries, signed: whose upload it is and how the upstream knows its state.
/// </summary>
/// <param name="Subject">Who began the upload, as <c>Subject.ToString</c> writes it. Nobody else continues it.</param>
/// <param name="ContinueUntil">
/// Until when an expired access token is good enough for this upload. Counted from the last time the caller showed an
/// unexpired credential, and not moved on by expired ones, so the window is bounded.
/// </param>
/// <param name="UpstreamQuery">The query of the upstream's own <c>Location</c>, with its question mark; or empty.</param>
internal sealed record UploadTicket(string Subject, DateTimeOffset ContinueUntil, string UpstreamQuery);
