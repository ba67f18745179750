using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Core.Tokens;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;

namespace Gateway.Client.Login;

/// <summary>Signs in to a registry behind this gateway, as docker would.</summary>
internal sealed partial class RegistrySignIn : IDisposable
{
    private const string ClientId = "registry-gateway";

    private readonly string _registry;
    private readonly Uri _url;
    private readonly HttpClient _client;

    /// <param name="registry">Its name for docker.</param>
    /// <param name="certificateAuthority">
    /// PEM file of the authorities to trust; <see langword="null"/>: the system's, and what docker and podman trust for
    /// this registry.
    /// </param>
    /// <exception cref="ProblemException">The file cannot be used.</exception>
    public RegistrySignIn(string registry, string? certificateAuthority)
    {
        (_registry, _url) = (registry, new Uri($"https://{registry}"));
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        var authorities = ReadAuthorities(registry, certificateAuthority);
        if (authorities.Count > 0)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                errors == SslPolicyErrors.None
                || (certificate is X509Certificate2 shown && IsTrusted(shown, chain, errors, authorities));
        }

        _client = new HttpClient(handler)
        {
            Timeout = TimeSpan.FromSeconds(20),
            MaxResponseContentBufferSize = 1024 * 1024,
        };
    }

    /// <summary>Signs in with a password.</summary>
    /// <returns>
    /// The refresh token; <see langword="null"/> if the registry issues none, but accepts the password.
    /// </returns>
    /// <exception cref="ProblemException">The registry cannot be reached, or refuses.</exception>
    public async Task<string?> SignInAsync(string userName, string password, CancellationToken cancellationToken)
    {
        var (realm, service) = await FindRealmAsync(cancellationToken);
        var (status, body) = await PostAsync(
            realm,
            [
                new("grant_type", "password"), new("username", userName), new("password", password),
                new("service", service),
                new("client_id", ClientId), new("access_type", "offline"),
            ],
            cancellationToken);
        return status == HttpStatusCode.OK ? TextOf(body, "refresh_token") : throw Refused(status, body);
    }

    /// <summary>Signs in with a browser, here or on another machine (RFC 8628).</summary>
    /// <param name="show">Receives the page to open, and the code that it must show.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The refresh token.</returns>
    /// <exception cref="ProblemException">
    /// The registry cannot be reached, does not offer this, or nobody authorized the device.
    /// </exception>
    public async Task<string> SignInByBrowserAsync(Action<string, string> show, CancellationToken cancellationToken)
    {
        var (status, body) = await PostAsync(
            new Uri(_url, DeviceAuthorization.CodePath), [new("client_id", ClientId)], cancellationToken);
        if (status == HttpStatusCode.NotFound)
        {
            throw new ProblemException(new Problem(
                _registry, "this registry does not offer sign-in with a browser", MessageOf(body),
                "Sign in with a password: gateway login -u NAME " + _registry));
        }

        if (status != HttpStatusCode.OK || TextOf(body, "device_code") is not { } deviceCode
            || TextOf(body, "user_code") is not { } userCode
            || !UserCode.TryParse(userCode, out var shown)
            || !Uri.TryCreate(TextOf(body, "verification_uri_complete"), UriKind.Absolute, out var page)
            || page.Authority != _url.Authority)
        {
            throw Refused(status, body);
        }

        // Only parsed values are printed, and the person is sent only to the registry that they named.
        show(page.AbsoluteUri, shown);
        var wait = DeviceAuthorization.Interval;
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) <= DeviceAuthorization.Lifetime + wait)
        {
            await Task.Delay(wait, cancellationToken);
            (status, body) = await PostAsync(
                new Uri(_url, DeviceAuthorization.TokenPath),
                [
                    new("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), new("device_code", deviceCode),
                    new("client_id", ClientId),
                ],
                cancellationToken);
            if (status == HttpStatusCode.OK)
            {
                return TextOf(body, "refresh_token") ?? throw Refused(status, body);
            }

            // Section 3.5. A gateway that is unavailable for a moment is polled again too, so the person need not start
            // again.
            switch (TextOf(body, "error"))
            {
                case "authorization_pending":
                    break;
                case "slow_down":
                    wait += DeviceAuthorization.Interval;
                    break;
                default:
                    if ((int)status < 500 && status != HttpStatusCode.TooManyRequests)
                    {
                        throw Refused(status, body);
                    }

                    break;
            }
        }

        throw new ProblemException(new Problem(_registry, "nobody authorized this device", null, "Sign in again."));
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<(Uri Realm, string Service)> FindRealmAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_url, "/v2/"));
        var (_, _, challenge) = await SendAsync(request, cancellationToken);
        var realm = challenge is null ? null : Parameter(challenge, "realm");
        if (realm is null || !Uri.TryCreate(realm, UriKind.Absolute, out var url))
        {
            throw new ProblemException(new Problem(
                _registry, "this registry does not say where to sign in", challenge ?? "no WWW-Authenticate: Bearer",
                "Check that it is behind the gateway, and that no proxy in front removes headers."));
        }

        // The password is sent only to the registry that was named.
        if (url.Scheme != Uri.UriSchemeHttps
            || !string.Equals(url.Authority, _url.Authority, StringComparison.OrdinalIgnoreCase))
        {
            throw new ProblemException(new Problem(
                _registry, "this registry asks for the password to be sent elsewhere", realm,
                "Check publicUrl of the gateway; for a registry that signs people in elsewhere by design, use "
                    + "docker login."));
        }

        return (url, Parameter(challenge!, "service") ?? _registry);
    }

    private async Task<(HttpStatusCode Status, string Body)> PostAsync(
        Uri url, IEnumerable<KeyValuePair<string, string>> form, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new FormUrlEncodedContent(form) };
        var (status, body, _) = await SendAsync(request, cancellationToken);
        return (status, body);
    }

    private async Task<(HttpStatusCode Status, string Body, string? Challenge)> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _client.SendAsync(request, cancellationToken);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellationToken),
                answer.Headers.WwwAuthenticate.FirstOrDefault(
                    static one => one.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))?.Parameter);
        }
        catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException)
        {
            throw new ProblemException(new Problem(
                _registry, "its TLS certificate is not trusted", exception.InnerException.Message,
                "Get the authority's certificate from the operator of the registry, and give --ca FILE."));
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(new Problem(
                _registry, "the registry does not answer", exception.Message,
                "Check the name and port, and whether a proxy or firewall is in between."));
        }
    }

    private ProblemException Refused(HttpStatusCode status, string body) => new(new Problem(
        _registry, MessageOf(body) ?? "the registry refused the sign-in",
        ((int)status).ToString(System.Globalization.CultureInfo.InvariantCulture),
        status == HttpStatusCode.Unauthorized
            ? "Try again with the right password."
            : "Try again later, or ask the operator of the registry."));

    private static string? Parameter(string challenge, string name) =>
        Parameters()
            .Matches(challenge)
            .FirstOrDefault(
                match => match.Groups[1].Value.Equals(name, StringComparison.OrdinalIgnoreCase))?.Groups[2].Value;

    [GeneratedRegex("([a-zA-Z_]+)=\"([^\"]*)\"", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Parameters();

    private static string? MessageOf(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.TryGetProperty("errors", out var errors)
                && errors is { ValueKind: JsonValueKind.Array } && errors.GetArrayLength() > 0
                && errors[0].Text("message") is { } message
                ? PrintableName.Of(message)
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null; // from something in between
        }
    }

    private static string? TextOf(string body, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Text(name);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static X509Certificate2Collection ReadAuthorities(string registry, string? named)
    {
        if (named is not null)
        {
            return TrustRoots.Load(named, "--ca");
        }

        var found = new X509Certificate2Collection();

        // The authorities that docker and podman already trust for this registry (docker: "Verify repository client
        // with certificates").
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        foreach (var folder in new[]
        {
            $"/etc/docker/certs.d/{registry}", $"/etc/containers/certs.d/{registry}",
            $"{home}/.config/containers/certs.d/{registry}",
        })
        {
            foreach (var file in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.crt") : [])
            {
                // A file that cannot be read is skipped; without it the certificate is refused, and that is reported.
                _ = TrustRoots.TryRead(file, out var roots, out _);
                found.AddRange(roots);
            }
        }

        return found;
    }

    private static bool IsTrusted(
        X509Certificate2 shown, X509Chain? received, SslPolicyErrors errors, X509Certificate2Collection authorities)
    {
        if ((errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return false; // an authority does not make a wrong name right
        }

        using var chain = new X509Chain
        {
            ChainPolicy = TrustRoots.Policy(authorities, received?.ChainPolicy.ExtraStore),
        };
        return chain.Build(shown);
    }
}
