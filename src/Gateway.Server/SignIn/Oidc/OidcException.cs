namespace Gateway.Server.SignIn.Oidc;

/// <summary>A failed sign-in through a provider.</summary>
/// <param name="message">For the person: a sentence that names the cause. Never a secret.</param>
/// <param name="reason">For the log and the audit record, with what was found.</param>
/// <param name="isGateways">
/// Whether the fault lies between gateway and provider, such as a client secret or a key, and says nothing about the
/// person.
/// </param>
internal sealed class OidcException(string message, string reason, bool isGateways = false) : Exception(message)
{
    /// <summary>For operators.</summary>
    public string Reason { get; } = reason;

    /// <summary>Whether it says nothing about the person.</summary>
    public bool IsGateways { get; } = isGateways;
}
