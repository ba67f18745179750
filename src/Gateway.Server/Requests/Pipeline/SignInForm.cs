namespace Gateway.Server.Requests.Pipeline;

/// <summary>What is presented as credentials.</summary>
internal enum SignInForm
{
    /// <summary>Nothing: an anonymous caller.</summary>
    None,

    /// <summary>A password.</summary>
    Password,

    /// <summary>A personal access token or a robot token.</summary>
    Token,

    /// <summary>A refresh token.</summary>
    RefreshToken,

    /// <summary>An access token of this gateway.</summary>
    AccessToken,

    /// <summary>A client certificate.</summary>
    Certificate,

    /// <summary>An ID token of an outside issuer, as the password of a job.</summary>
    IdToken,

    /// <summary>A provider's answer, brought by the browser.</summary>
    OpenId,

    /// <summary>A browser's session.</summary>
    Session,

    /// <summary>The code of a device that a person authorized.</summary>
    Device,

    /// <summary>Something that cannot be read.</summary>
    Unreadable,
}
