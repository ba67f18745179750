namespace Gateway.Core.Tokens;

/// <summary>
/// A secret that a caller presents, with what it is by its form. That is worked out here alone, once, where it enters:
/// what one part took for a token, so that it is not counted as a guess, and another for a password would be a free
/// guess.
/// </summary>
public readonly struct PresentedSecret
{
    private readonly string? _text;

    private PresentedSecret(string text, SecretForm form)
    {
        _text = text;
        Form = form;
    }

    /// <summary>What it is.</summary>
    public SecretForm Form { get; }

    /// <summary>The secret itself, untrusted.</summary>
    public string Text => _text ?? "";

    /// <summary>Reads what is in a password's place.</summary>
    /// <param name="text">Untrusted, of any length.</param>
    public static PresentedSecret OfPassword(string text)
    {
        var form = FormOf(text);
        return new PresentedSecret(
            text, form == SecretForm.Other && JwtParts.HasForm(text) ? SecretForm.IdToken : form);
    }

    /// <summary>
    /// Reads what follows <c>Bearer</c>. Access tokens are JWTs as ID tokens are, and told apart where they are
    /// verified.
    /// </summary>
    /// <param name="text">Untrusted, of any length.</param>
    public static PresentedSecret OfBearer(string text) => new(text, FormOf(text));

    /// <summary>Never the secret.</summary>
    public override string ToString() => "***";

    private static SecretForm FormOf(string text) => CredentialSecret.Read(text, out var secret) switch
    {
        CredentialSecretReading.Mistyped => SecretForm.Mistyped,
        CredentialSecretReading.Secret => secret!.Kind switch
        {
            CredentialSecretKind.Refresh => SecretForm.RefreshToken,
            CredentialSecretKind.Session => SecretForm.Session,
            _ => SecretForm.Token,
        },
        _ when text.StartsWith(DeviceAuthorization.DeviceCodePrefix, StringComparison.Ordinal) => SecretForm.DeviceCode,
        _ => SecretForm.Other,
    };
}
