using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>The one place that writes <c>WWW-Authenticate</c>.</summary>
/// <remarks>
/// Exactly one challenge: docker runs the first and then overwrites it with the second. Distribution, "Token
/// Authentication Specification"; each rule says what the clients' own parsers need beyond it.
/// </remarks>
internal sealed class Challenge(AuthenticationOptions options)
{
    private const int LongestDescription = 256;

    /// <summary>
    /// Whether callers who send nothing are asked for credentials on every request, also where anonymous callers may do
    /// it: docker and podman send none to a registry that does not ask, and "login" then accepts every password. Under
    /// Basic there is no way to answer "I am anonymous", so there they are asked only where they may not.
    /// </summary>
    public bool AlwaysAsks => options.Challenge == ChallengeScheme.Bearer;

    /// <summary>Puts the challenge on a 401 of the registry API.</summary>
    /// <param name="context">A request that is parsed.</param>
    /// <param name="error">What was wrong with the access token sent, if one was.</param>
    /// <param name="description">
    /// Why, for the person at the client; docker prints it. Only together with an error.
    /// </param>
    public void Set(HttpContext context, ChallengeError error = ChallengeError.None, string? description = null)
    {
        var gateway = GatewayContext.Of(context);
        context.Response.Headers.WWWAuthenticate = options.Challenge == ChallengeScheme.Basic
            ? Basic(gateway.Host.Authority)
            : Bearer(gateway.Host.Origin, gateway.Host.Authority, ScopeOf(gateway.Request), error, description);
    }

    /// <summary>
    /// Puts the challenge on a 401 of an endpoint that accepts user name and password only, such as the token endpoint.
    /// </summary>
    /// <remarks>
    /// RFC 9110, section 15.5.2, wants one on every 401, and browsers open their prompt by it: a UI has no other way to
    /// sign a person in. docker, containerd and containers/image look at status and body of a token answer alone.
    /// </remarks>
    public static void SetForPassword(HttpContext context) =>
        context.Response.Headers.WWWAuthenticate = Basic(GatewayContext.Of(context).Host.Authority);

    /// <summary>
    /// The scope that a request needs, as a client should ask for it; <see langword="null"/> for a ping.
    /// </summary>
    /// <remarks>
    /// All that the request needs, not only what a token lacked: Distribution wants pull beside push when it verifies
    /// tokens. The source of a mount is not named: a mount is dropped rather than refused.
    /// </remarks>
    public static string? ScopeOf(RegistryRequest request) => request switch
    {
        { Operation: RegistryOperation.Ping } => null,
        { Operation: RegistryOperation.ListCatalog } => "registry:catalog:*",
        _ => new RepositoryScope(request.Repository!, RequiredAccess.For(request.Operation)).ToString(),
    };

    // Order and commas without spaces: the regex of Joxit's UI. No empty value: docker's parser stops there.
    internal static string Bearer(
        string origin, string service, string? scope, ChallengeError error, string? description)
    {
        var text = $"Bearer realm=\"{origin}/token\",service=\"{service}\"";
        if (scope is not null)
        {
            text += $",scope=\"{scope}\"";
        }

        if (error == ChallengeError.None)
        {
            return text;
        }

        text += error == ChallengeError.InvalidToken ? ",error=\"invalid_token\"" : ",error=\"insufficient_scope\"";
        return string.IsNullOrEmpty(description) ? text : $"{text},error_description=\"{Clean(description)}\"";
    }

    private static string Basic(string realm) => $"Basic realm=\"{realm}\"";

    // RFC 6750, section 3: printable ASCII without quotes and backslashes. The OCI conformance suite takes the last
    // "basic" or "bearer" in the header, wherever it appears, as the scheme.
    private static string Clean(string text) =>
        string.Create(Math.Min(text.Length, LongestDescription), text, static (cleaned, text) =>
        {
            for (var i = 0; i < cleaned.Length; i++)
            {
                cleaned[i] = text[i] switch
                {
                    '"' or '\\' => '\'',
                    >= ' ' and <= '~' => text[i],
                    _ => '?',
                };
            }
        })
        .Replace("bearer", "token", StringComparison.OrdinalIgnoreCase)
        .Replace("basic", "password", StringComparison.OrdinalIgnoreCase);
}
