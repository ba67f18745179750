namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// Why credentials cannot be read. It follows from the request's bytes alone, so it reveals nothing about any user.
/// </summary>
/// <param name="Reason">For the log.</param>
/// <param name="Message">For the caller: the cause, and what to do. Never a part of what was sent.</param>
internal sealed record CredentialFault(string Reason, string Message)
{
    public static readonly CredentialFault NotBase64 = new(
        "Basic credentials that are not base64", "what follows \"Basic\" is not base64 of name:password");

    public static readonly CredentialFault NotUtf8 = new(
        "Basic credentials that are not UTF-8",
        "the user name or password holds characters outside ASCII that are not sent as UTF-8 but probably as Latin-1; "
        + "make the program send UTF-8, or choose a password of ASCII characters");

    public static readonly CredentialFault NoColon = new(
        "Basic credentials without a colon", "what follows \"Basic\" holds no colon between name and password");

    public static readonly CredentialFault LineBreak = new(
        "Basic credentials whose password ends in a line break",
        "the password ends in a line break, which a file or \"echo\" adds; send it without (printf "
        + "%s, or base64 -w0 of that)");

    public static readonly CredentialFault NameLineBreak = new(
        "Basic credentials whose user name ends in a line break",
        "the user name ends in a line break, which a file or \"echo\" adds; send it without");

    public static readonly CredentialFault Control = new(
        "Basic credentials with a control character",
        "the user name or password holds a control character (a tab, a NUL or a line break inside); send it without");

    public static readonly CredentialFault TooLong = new(
        "the Authorization header is too long",
        "the Authorization header is longer than any credentials that this registry accepts");

    public static readonly CredentialFault Scheme = new(
        "unsupported scheme", "the Authorization header is neither \"Basic\" nor \"Bearer\", followed by one space");
}
