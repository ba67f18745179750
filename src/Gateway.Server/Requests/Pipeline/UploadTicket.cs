using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Authorization;

namespace Gateway.Server.Requests.Pipeline;

/// <summary>
/// What the <c>Location</c> of an upload carries, signed: whose upload it is and how the upstream knows its state.
/// Alone it allows nothing: the caller must also be that subject, and policy must still allow the push.
/// </summary>
/// <param name="Subject">Who began the upload, as <see cref="NameOf"/> writes it. Nobody else continues it.</param>
/// <param name="ContinueUntil">
/// Until when an expired access token is good enough for this upload. Counted from the last time the caller presented
/// an unexpired credential, and not moved on by expired ones, so the window is bounded.
/// </param>
/// <param name="UpstreamQuery">
/// The query of the upstream's own <c>Location</c>, with its question mark; or empty.
/// </param>
internal sealed record UploadTicket(string Subject, DateTimeOffset ContinueUntil, string UpstreamQuery)
{
    /// <summary>A subject in a ticket: SHA-256, hexadecimal, of what proved it and its name.</summary>
    /// <remarks>
    /// With the method, since two providers' <c>alice</c> are two people. A digest keeps tickets short, whatever a
    /// provider calls its users, and names out of URLs.
    /// </remarks>
    public static string NameOf(Subject subject) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{subject.Method}\n{subject}")));

    /// <summary>Whether a subject began this upload.</summary>
    public bool IsOf(Subject subject) => Subject == NameOf(subject);

    /// <inheritdoc/>
    public override string ToString() => "***"; // the upstream's query is as good as a key to the upload there
}
