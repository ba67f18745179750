namespace Gateway.Server.SignIn.Issuers;

/// <summary>An issuer could not be asked, or answered something that cannot be relied on.</summary>
/// <param name="what">What is wrong and what was seen, without a full stop; never a secret.</param>
/// <param name="fix">What the operator can do, as a sentence.</param>
/// <param name="inner">The cause.</param>
internal sealed class IssuerException(string what, string fix, Exception? inner = null)
    : Exception($"{what}. {fix}", inner)
{
    /// <summary>What is wrong, without the fix.</summary>
    public string What { get; } = what;

    /// <summary>The fix.</summary>
    public string Fix { get; } = fix;
}
