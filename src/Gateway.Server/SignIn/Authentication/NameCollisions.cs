namespace Gateway.Server.SignIn.Authentication;

/// <summary>What happens to a name that two sources of users know.</summary>
public enum NameCollisions
{
    /// <summary>
    /// The name belongs to the source that comes first in <c>order</c>; anyone who proves it to another one is refused.
    /// </summary>
    Refuse,

    /// <summary>It is the same person, wherever they sign in: several doors to one directory.</summary>
    Same,
}
