using System.Text.Json;
using Gateway.Foundation.Text;

namespace Gateway.Server.SignIn.Issuers;

/// <summary>What a verified ID token says.</summary>
/// <param name="Issuer"><c>iss</c>.</param>
/// <param name="Subject"><c>sub</c>: never reused by the issuer, unlike names.</param>
/// <param name="IssuedAt"><c>iat</c>.</param>
/// <param name="ExpiresAt"><c>exp</c>.</param>
/// <param name="Claims">All of it, an object.</param>
internal sealed record IdToken(
    string Issuer, string Subject, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt, JsonElement Claims)
{
    /// <summary>A claim that is a text; <see langword="null"/> for anything else.</summary>
    public string? Text(string name) => Claims.Text(name);
}

/// <summary>The result of verifying one.</summary>
internal abstract record IdTokenResult
{
    private IdTokenResult()
    {
    }

    /// <summary>It is good.</summary>
    public sealed record Good(IdToken Token) : IdTokenResult;

    /// <summary>It is not.</summary>
    /// <param name="Reason">For the log, with what was found.</param>
    /// <param name="Message">For the caller who presented it: part of a sentence that names the cause.</param>
    /// <param name="Fix">
    /// What the operator can do, as a sentence; <see langword="null"/> where nothing in particular.
    /// </param>
    public sealed record Bad(string Reason, string Message, string? Fix = null) : IdTokenResult;

    /// <summary>The issuer's keys cannot be fetched, so this cannot be decided.</summary>
    public sealed record Undecided(string Reason) : IdTokenResult;
}
