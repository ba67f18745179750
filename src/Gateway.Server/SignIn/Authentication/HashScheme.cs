namespace Gateway.Server.SignIn.Authentication;

/// <summary>How a password is hashed.</summary>
internal enum HashScheme
{
    /// <summary><c>$2a$</c>, <c>$2b$</c>, <c>$2y$</c>; its cost counts doublings.</summary>
    Bcrypt,

    /// <summary><c>$y$</c>; its cost is <c>crypt_gensalt</c>'s, and counts doublings.</summary>
    Yescrypt,

    /// <summary><c>$5$</c>; its cost counts rounds.</summary>
    Sha256Crypt,

    /// <summary><c>$6$</c>; its cost counts rounds.</summary>
    Sha512Crypt,
}
