namespace Gateway.Server.SignIn.Authentication;

/// <summary>What users of a source are called.</summary>
public enum NameForm
{
    /// <summary><c>alice</c>.</summary>
    Plain,

    /// <summary><c>corp/alice</c>.</summary>
    Qualified,
}
