namespace Gateway.Server.SignIn.Issuers;

/// <summary>An issuer could not be asked, or answered something that cannot be relied on.</summary>
/// <param name="what">What is wrong and what was seen, without a full stop; never a secret.</param>
/// <param name="cure">What the operator can do, as a sentence.</param>
/// <param name="inner">The cause.</param>
internal sealed class IssuerException(string what, string cure, Exception? inner = null) : Exception($"{what}. {cure}", inner)
{
    /// <summary>What is wrong, without the cure.</summary>
    public string What { get; } = what;

    /// <summary>What helps.</summary>
    public string Cure { get; } = cure;
}
