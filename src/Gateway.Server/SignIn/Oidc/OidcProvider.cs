using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Core.Tokens;
using Gateway.Foundation.Text;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Oidc;

/// <summary>One provider: its document and keys, its endpoints, and how its claims are read.</summary>
internal sealed class OidcProvider(string name, OidcOptions options, IssuerMetadata metadata, IdTokenVerifier verifier)
    : IDisposable
{
    private readonly OidcClaims _claims = new(name, options);

    /// <summary>Its name in the configuration.</summary>
    public string Name { get; } = name;

    /// <summary>The method: <c>oidc:keycloak</c>.</summary>
    public string Method { get; } = MethodOf(name);

    /// <summary>What people read.</summary>
    public string Title => Options.Title ?? Name;

    /// <summary>Its options.</summary>
    public OidcOptions Options { get; } = options;

    /// <summary>Its document and keys.</summary>
    public IssuerMetadata Metadata { get; } = metadata;

    /// <summary>Its token endpoint.</summary>
    public OidcTokenClient Client { get; } = new(MethodOf(name), options, metadata);

    /// <summary>The method of a provider.</summary>
    public static string MethodOf(string name) => "oidc:" + name;

    /// <summary>Where the provider sends people back to.</summary>
    public static string CallbackOf(string name) => $"/sign-in/{name}/callback";

    /// <summary>Whom the tokens of a sign-in or of a refresh mean.</summary>
    /// <param name="tokens">As they came.</param>
    /// <param name="nonce">What the ID token must hold; <see langword="null"/> for a refresh.</param>
    /// <param name="subject">Whom it must be about; <see langword="null"/> for a sign-in.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>
    /// The person and the provider's session (<c>sid</c>); <see langword="null"/> where a refresh said nothing about
    /// them.
    /// </returns>
    /// <exception cref="OidcException">They may not sign in, or the tokens are wrong.</exception>
    /// <exception cref="IssuerException">The provider does not answer.</exception>
    public async Task<(OidcPerson Person, string? SessionId)?> IdentifyAsync(
        OidcTokens tokens, string? nonce, string? subject, CancellationToken cancellationToken)
    {
        JsonElement? claims = null;
        if (tokens.IdToken is { } text)
        {
            var token = await VerifyAsync(text, tokens.AccessToken, nonce, cancellationToken);
            if (subject is not null && token.Subject != subject)
            {
                throw new OidcException(
                    "your provider answered with an account other than the one that signed in here; sign in again",
                    $"its sub is \"{PrintableName.Of(token.Subject)}\", not the one of the sign-in");
            }

            (subject, claims) = (token.Subject, token.Claims);
        }
        else if (subject is null)
        {
            throw Wrong("the token endpoint returned no id_token; check that the scope openid is requested");
        }

        if ((claims is null || _claims.LackSomething(claims.Value))
            && await Client.ReadUserInfoAsync(tokens.AccessToken, subject, cancellationToken) is { } more)
        {
            claims = claims is { } known ? Merge(known, more) : more;
        }

        return claims is { } all ? (_claims.Read(subject, all), all.Text("sid")) : null;
    }

    /// <inheritdoc/>
    public void Dispose() => Metadata.Dispose();

    private async Task<IdToken> VerifyAsync(
        string text, string accessToken, string? nonce, CancellationToken cancellationToken)
    {
        var token = await verifier.VerifyAsync(text, Metadata, Options.ClientId, type: null, cancellationToken) switch
        {
            IdTokenResult.Good good => good.Token,
            IdTokenResult.Undecided undecided => throw new IssuerException(undecided.Reason.TrimEnd('.'),
                "See the provider's own log."),
            IdTokenResult.Bad bad => throw Wrong(bad.Reason, bad.Message, bad.Fix),
            _ => throw new InvalidOperationException(),
        };

        // OpenID Connect Core, section 3.1.3.7, steps 3 to 5: it must not be meant for anyone else, who could pass it
        // on.
        var azp = token.Text("azp");
        if ((token.Claims.TryGetProperty("azp", out _) && azp != Options.ClientId)
            || (azp is null && token.Claims.GetProperty("aud") is { ValueKind: JsonValueKind.Array } audiences
            && audiences.GetArrayLength() > 1))
        {
            throw Wrong($"its azp is \"{PrintableName.Of(azp ?? "")}\", where \"{Options.ClientId}\" is expected");
        }

        // Step 11: a token of another sign-in, inserted by someone who got hold of it.
        var found = token.Text("nonce");
        if (nonce is not null && (found is null || !CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(found), Encoding.UTF8.GetBytes(nonce))))
        {
            throw Wrong("its nonce is not that of this sign-in");
        }

        // Section 3.1.3.8: where it is there, the access token belongs to this ID token.
        if (token.Claims.TryGetProperty("at_hash", out _)
            && HashOf(JwtParts.Read(text, out _)!.Algorithm, accessToken) is { } hash
            && token.Text("at_hash") != hash)
        {
            throw Wrong("its at_hash is not that of the access token");
        }

        return token;
    }

    private static string? HashOf(string algorithm, string accessToken)
    {
        var bytes = Encoding.ASCII.GetBytes(accessToken);
        var hash = algorithm[^3..] switch
        {
            "256" => SHA256.HashData(bytes),
            "384" => SHA384.HashData(bytes),
            "512" => SHA512.HashData(bytes),
            _ => null, // EdDSA: which hash is meant is not agreed on
        };
        return hash is null ? null : Base64Url.EncodeToString(hash.AsSpan(0, hash.Length / 2));
    }

    // What is signed stays; the userinfo only adds.
    private static JsonElement Merge(JsonElement signed, JsonElement more)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var member in signed.EnumerateObject())
            {
                member.WriteTo(writer);
            }

            foreach (var member in more.EnumerateObject().Where(member => !signed.TryGetProperty(member.Name, out _)))
            {
                member.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.ToArray());
        return document.RootElement.Clone();
    }

    private static OidcException Wrong(string reason, string? message = null, string? fix = null) => new(
        $"the provider's answer is not accepted ({message ?? reason}); tell the registry's operator",
        $"the ID token is not accepted: {reason}. {fix ?? "See docs/oidc.md, \"When it does not work\"."}",
        isGateways: true);
}
