namespace Gateway.Server.Tokens.Service;

/// <summary>An access token as issued.</summary>
/// <param name="Text">The compact serialization (RFC 7515, section 3.1).</param>
/// <param name="Lifetime">From now on; in full seconds.</param>
internal readonly record struct AccessToken(string Text, TimeSpan Lifetime)
{
    /// <inheritdoc/>
    public override string ToString() => "***";
}
