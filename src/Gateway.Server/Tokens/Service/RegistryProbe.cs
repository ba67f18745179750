using System.Globalization;
using System.Net;
using Gateway.Core.Tokens;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Keys;

namespace Gateway.Server.Tokens.Service;

/// <summary>Asks a registry whether it accepts the gateway's tokens, and finds out why not.</summary>
/// <remarks>
/// A registry answers 401 and no more. So the probe also presents tokens that differ in one thing from what the gateway
/// sends (an older key, another spelling of the issuer, its own service, its own clock): the one that it accepts names
/// the fault. None of these tokens grants anything.
/// </remarks>
internal sealed class RegistryProbe(HttpClient client, SigningKeyRing keys, PublicHost host, TimeProvider time)
{
    private const int MostKeysTried = 4;
    private const int LongestQuote = 200;

    private const string GiveKeys =
        "give it the files that \"gateway keys export\" writes, and restart it; it reads them at its start only.";

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);

    /// <summary>What Distribution allows clocks to differ.</summary>
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    /// <summary>Asks one upstream.</summary>
    /// <param name="upstream">Its base URL.</param>
    /// <param name="credential">
    /// The header that is configured for it instead of tokens, or <see langword="null"/>.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<RegistryProbeResult> ProbeAsync(
        Uri upstream, string? credential, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(upstream, null, cancellationToken) switch
            {
                { Status: HttpStatusCode.OK } => new RegistryProbeResult(
                    RegistryProbeOutcome.Open,
                    "requires no sign-in: anyone who reaches it may do everything. That is right only where the "
                    + "gateway alone can reach it; otherwise have it verify tokens."),
                { Status: HttpStatusCode.Unauthorized, Scheme: "Bearer" } open when credential is null =>
                    await TryTokenAsync(upstream, open, cancellationToken),
                { Status: HttpStatusCode.Unauthorized } open =>
                    await TryCredentialAsync(upstream, open, credential, cancellationToken),
                var other => new RegistryProbeResult(
                    RegistryProbeOutcome.Refused,
                    $"answered {(int)other.Status} to GET /v2/, which no registry does. Check that "
                    + "this is the registry's URL."),
            };
        }
        catch (HttpRequestException exception)
        {
            return new RegistryProbeResult(
                RegistryProbeOutcome.Unreachable, $"cannot be reached ({LogText.OneLine(exception.Message)}).");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new RegistryProbeResult(RegistryProbeOutcome.Unreachable, "did not answer in time.");
        }
    }

    private async Task<RegistryProbeResult> TryCredentialAsync(
        Uri upstream, Answer open, string? credential, CancellationToken cancellationToken)
    {
        var asks = open.Scheme == "Bearer"
            ? "asks for tokens"
            : $"asks for {open.Scheme ?? "credentials of an unknown kind"}";
        if (credential is null)
        {
            return new RegistryProbeResult(
                RegistryProbeOutcome.Refused,
                $"{asks}, not for tokens: set the registry's \"credential\", or have it verify tokens.");
        }

        var answer = await AskAsync(upstream, credential, cancellationToken);
        return answer.Status == HttpStatusCode.OK
            ? new RegistryProbeResult(RegistryProbeOutcome.Accepted, $"{asks} and accepts the configured credential.")
            : new RegistryProbeResult(
                RegistryProbeOutcome.Refused,
                $"{asks} and refused the configured credential ({(int)answer.Status}): correct \"credential\".");
    }

    private async Task<RegistryProbeResult> TryTokenAsync(
        Uri upstream, Answer open, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var own = new Variant(keys.ActiveAt(now), host.Origin, host.Authority, TimeSpan.Zero);
        if (await AcceptsAsync(own))
        {
            // Reported while there is time: the key is published before it signs.
            return keys.Keys.FirstOrDefault(key => key.ActiveFrom > now) is not { } next
                || await AcceptsAsync(own with { Key = next })
                    ? new RegistryProbeResult(
                        RegistryProbeOutcome.Accepted,
                        $"accepts tokens for service \"{own.Audience}\", signed by key {own.Key.Id}.")
                    : new RegistryProbeResult(
                        RegistryProbeOutcome.Refused,
                        $"accepts today's tokens, but refuses those of the next key ({next.Id}), which signs from "
                        + $"{SigningKeyText.Format(next.ActiveFrom)} on. Before then, {GiveKeys}");
        }

        var skew = open.Date - now is { } difference && difference.Duration() > Leeway ? difference : TimeSpan.Zero;
        var known = own with { Audience = open.Service ?? own.Audience, Skew = skew };
        foreach (var key in keys.Keys.Where(key => key != own.Key).Take(MostKeysTried - 1).Prepend(own.Key))
        {
            foreach (var issuer in Issuers(open))
            {
                var variant = known with { Key = key, Issuer = issuer };
                if (await AcceptsAsync(variant))
                {
                    return Refused([.. Differences(own, variant)]);
                }
            }
        }

        return Refused(
        [
            .. Differences(own, known),
            "Most likely it does not have the gateway's key, since it accepted no token of any service and "
            + "issuer: " + GiveKeys,
            $"Otherwise its auth.token.issuer is not \"{own.Issuer}\". Its own log says which.",
        ]);

        async Task<bool> AcceptsAsync(Variant variant) =>
            (await AskAsync(upstream, "Bearer " + Sign(variant), cancellationToken)).Status == HttpStatusCode.OK;
    }

    private string Sign(Variant variant)
    {
        var issuedAt = AccessTokenIssuer.WholeSeconds(time.GetUtcNow() + variant.Skew);
        return CompactJws.Sign(variant.Key, AccessTokenWriter.Write(new AccessTokenClaims
        {
            Issuer = variant.Issuer,
            SubjectName = "",
            Audience = variant.Audience,
            IssuedAt = issuedAt,
            ExpiresAt = issuedAt + Lifetime,
            Id = AccessTokenIssuer.NewId(),
            Access = AccessScope.Empty,
        }).Span);
    }

    // Ours first, then what people write instead.
    private IEnumerable<string> Issuers(Answer open) => new[]
    {
        host.Origin, host.Origin + "/", host.Authority, host.Authority.Split(':')[0], open.Service, open.Realm,
        Uri.TryCreate(open.Realm, UriKind.Absolute, out var realm) ? realm.GetLeftPart(UriPartial.Authority) : null,
    }.OfType<string>().Distinct();

    private static IEnumerable<string> Differences(Variant own, Variant accepted)
    {
        if (accepted.Key != own.Key)
        {
            yield return $"It does not have the key that signs now ({own.Key.Id}), only {accepted.Key.Id}. It missed a "
                + $"rotation: {GiveKeys}";
        }

        if (accepted.Issuer != own.Issuer)
        {
            yield return $"Its auth.token.issuer is \"{Quote(accepted.Issuer)}\", and tokens say \"{own.Issuer}\".";
        }

        if (accepted.Audience != own.Audience)
        {
            yield return $"Its auth.token.service is \"{Quote(accepted.Audience)}\", and tokens are for "
                + $"\"{own.Audience}\".";
        }

        if (accepted.Skew != TimeSpan.Zero)
        {
            var side = accepted.Skew > TimeSpan.Zero ? "ahead of" : "behind";
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"Its clock is {(long)accepted.Skew.Duration().TotalSeconds} s {side} the clock here, and at most 60 s "
                + $"are allowed: synchronize both.");
        }
    }

    private RegistryProbeResult Refused(string[] causes) => new(
        RegistryProbeOutcome.Refused,
        ["refused the token.",
            .. causes,
            "Its configuration must contain this, with the files copied there (the last two "
            + "lines are for Distribution 3):",
            "  auth:",
            "    token:",
            $"      realm: {host.Origin}/token",
            $"      service: {host.Authority}",
            $"      issuer: {host.Origin}",
            "      rootcertbundle: /etc/registry/bundle.crt",
            "      jwks: /etc/registry/jwks.json",
            $"      signingalgorithms: [{keys.Keys[0].Algorithm}]"]);

    private async Task<Answer> AskAsync(Uri upstream, string? authorization, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(upstream, "/v2/"));
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var challenge = answer.Headers.WwwAuthenticate.FirstOrDefault();
        return new Answer(
            answer.StatusCode,
            challenge?.Scheme is { } scheme ? Scheme(scheme) : null,
            Parameter(challenge?.Parameter, "realm"),
            Parameter(challenge?.Parameter, "service"),
            answer.Headers.Date);
    }

    private static string Scheme(string scheme) =>
        scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) ? "Bearer"
        : scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) ? "a user name and password (Basic)"
        : Quote(scheme);

    // name="value", as every registry writes it.
    private static string? Parameter(string? parameters, string name)
    {
        var start = parameters?.IndexOf(name + "=\"", StringComparison.OrdinalIgnoreCase) ?? -1;
        if (start < 0)
        {
            return null;
        }

        start += name.Length + 2;
        var end = parameters!.IndexOf('"', start);
        return end < 0 ? null : parameters[start..end];
    }

    private static string Quote(string text) =>
        LogText.OneLine(text.Length > LongestQuote ? text[..LongestQuote] + "…" : text);

    private readonly record struct Answer(
        HttpStatusCode Status, string? Scheme, string? Realm, string? Service, DateTimeOffset? Date);

    private readonly record struct Variant(SigningKey Key, string Issuer, string Audience, TimeSpan Skew);
}

/// <summary>What a probe found.</summary>
/// <param name="Outcome">In a word.</param>
/// <param name="Lines">For people; the first follows the registry's name.</param>
internal sealed record RegistryProbeResult(RegistryProbeOutcome Outcome, params IReadOnlyList<string> Lines);

/// <summary>What a probe found, in a word.</summary>
internal enum RegistryProbeOutcome
{
    /// <summary>It accepts what the gateway sends.</summary>
    Accepted,

    /// <summary>It asks for nothing.</summary>
    Open,

    /// <summary>It does not accept it.</summary>
    Refused,

    /// <summary>It does not answer.</summary>
    Unreachable,
}
