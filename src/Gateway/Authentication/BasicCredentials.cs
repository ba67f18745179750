namespace Gateway.Authentication;

/// <summary>A user name and password as presented by a client. Prints as <c>***</c>.</summary>
internal readonly record struct BasicCredentials(string UserName, string Password)
{
    /// <inheritdoc/>
    public override string ToString() => "***";
}
