namespace Gateway.Foundation.Configuration;

/// <summary>What a problem is about, for code that must tell it from others: words change, these do not.</summary>
internal enum ProblemKind
{
    /// <summary>Nothing that any code asks for.</summary>
    Other,

    /// <summary>A file is missing, is a folder, or may not be read.</summary>
    FileUnavailable,

    /// <summary>Something is there twice.</summary>
    Duplicate,

    /// <summary>Passwords or tokens would be sent unencrypted.</summary>
    Unencrypted,

    /// <summary>A certificate and a private key do not belong together, or not in this order.</summary>
    KeyMismatch,

    /// <summary>A repository pattern matches fewer repositories than it seems to.</summary>
    NarrowPattern,

    /// <summary>Callers without credentials may change something.</summary>
    OpenToAnyone,

    /// <summary>A rule names a group that no file declares.</summary>
    UndeclaredGroup,

    /// <summary>A group that no rule names.</summary>
    UnusedGroup,
}
