namespace Gateway.Server.SignIn.Authentication;

/// <summary>What to make of one name that two sources of users know.</summary>
public enum NameCollisions
{
    /// <summary>
    /// The name is that of the source which comes first in <c>order</c>; who proves it to another one is refused.
    /// </summary>
    Refuse,

    /// <summary>It is the same person, wherever he signs in: several doors to one directory.</summary>
    Same,
}
