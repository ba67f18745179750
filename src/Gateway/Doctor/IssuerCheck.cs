using System.Buffers.Text;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Client.Doctor;
using Gateway.Client.Doctor.Client;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;
using Gateway.Server.Host.Configuration;
using Gateway.Server.SignIn.Issuers;
using Gateway.Server.SignIn.Oidc;
using Gateway.Server.SignIn.Workloads;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Doctor;

/// <summary>
/// The issuers of ID tokens, for jobs and for people: discovery, keys, clock; and whether a provider knows this
/// gateway's client id, secret and redirect URI.
/// </summary>
internal sealed class IssuerCheck : IServerCheck
{
    /// <inheritdoc/>
    public string Area => "ISS";

    /// <inheritdoc/>
    public string Subject => "the issuers";

    /// <inheritdoc/>
    public async Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        foreach (var warning in GitHubSubjects.OfRules(examined.Options.Authentication))
        {
            diagnosis.Warn("POL012", warning.Source, SettingProblems.EvidenceOf(warning), warning.Fix);
        }

        foreach (var (name, options) in examined.Options.Authentication.Workloads)
        {
            if (options.Keys is { } file)
            {
                InspectKeysFile($"issuer:{name}", file, diagnosis);
            }
            else
            {
                await diagnosis.AttemptAsync(
                    Area, $"issuer:{name}",
                    () => InspectAsync($"issuer:{name}", options, null, examined, diagnosis, cancellationToken),
                    cancellationToken);
            }
        }

        foreach (var (name, options) in examined.Options.Authentication.Oidc)
        {
            diagnosis.Hide(options.ClientSecret);
            await diagnosis.AttemptAsync(
                Area, OidcProvider.MethodOf(name),
                () => InspectAsync(
                    OidcProvider.MethodOf(name), options, (name, options), examined, diagnosis, cancellationToken),
                    cancellationToken);
        }
    }

    private void InspectKeysFile(string subject, string file, Diagnosis diagnosis)
    {
        try
        {
            if (IssuerMetadata.ReadKeys(File.ReadAllText(file), file).Count > 0)
            {
                diagnosis.Pass(Area, subject, $"{file} holds keys");
                return;
            }

            diagnosis.Error("ISS003", subject, $"{file} holds no key that can verify a signature");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or IssuerException)
        {
            diagnosis.Error("ISS003", subject, DoctorText.Of(exception));
        }
    }

    private async Task InspectAsync(
        string subject, IssuerOptions options, (string Name, OidcOptions Options)? provider, ExaminedGateway examined,
        Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        using var client = CreateClient(options, subject, diagnosis);
        if (client is null)
        {
            return;
        }

        var address = new Uri(options.Issuer.TrimEnd('/') + "/.well-known/openid-configuration");
        if (await ReadAsync(client, address, subject, examined, diagnosis, cancellationToken) is not { } document)
        {
            return;
        }

        var issuer = document.Text("issuer");
        if (issuer != options.Issuer)
        {
            diagnosis.Error(
                "ISS002", subject, $"{address} names the issuer \"{issuer}\", but \"{options.Issuer}\" is configured",
                $"issuer: \"{issuer}\"");
            return;
        }

        if (!Uri.TryCreate(document.Text("jwks_uri"), UriKind.Absolute, out var keys)
            || !IssuerOptionsValidator.IsSafe(keys))
        {
            diagnosis.Error(
                "ISS003", subject,
                $"{address} names no https address for keys (jwks_uri \"{document.Text("jwks_uri")}\")");
            return;
        }

        if (await ReadAsync(client, keys, subject, examined, diagnosis, cancellationToken, isKeys: true) is not { } set)
        {
            return;
        }

        if (IssuerMetadata.ReadKeys(set.GetRawText(), keys.ToString()).Count == 0)
        {
            diagnosis.Error("ISS003", subject, $"{keys} holds no key that can verify a signature");
            return;
        }

        if (provider is { } one)
        {
            await InspectProviderAsync(
                client, subject, document, one.Name, one.Options, examined, diagnosis, cancellationToken);
        }

        if (!diagnosis.Findings.Any(finding => finding.Subject == subject && finding.Severity > Severity.Information))
        {
            diagnosis.Pass(Area, subject, $"{options.Issuer} answers, and publishes keys");
        }
    }

    // As the gateway itself does.
    private static HttpClient? CreateClient(IssuerOptions options, string subject, Diagnosis diagnosis)
    {
        try
        {
            return IssuerHttp.CreateClient(options.CertificateAuthority);
        }
        catch (ProblemException exception)
        {
            diagnosis.Error(
                "ISS004", subject, SettingProblems.EvidenceOf(exception.Problems[0]), exception.Problems[0].Fix);
            return null;
        }
    }

    private static async Task InspectProviderAsync(
        HttpClient client, string subject, JsonElement document, string name, OidcOptions options,
        ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        if (OidcTokenClient.Endpoint(document.Text("token_endpoint")) is not { } tokens
            || OidcTokenClient.Endpoint(document.Text("authorization_endpoint")) is not { } authorization)
        {
            diagnosis.Error("ISS008", subject, "its document names no safe authorization_endpoint and token_endpoint");
            return;
        }

        if (Texts(document, "code_challenge_methods_supported") is { Count: > 0 } methods && !methods.Contains("S256"))
        {
            diagnosis.Error(
                "ISS008", subject,
                $"it supports PKCE only with {string.Join(", ", methods)}, but the gateway uses S256");
            return;
        }

        if (Texts(document, "scopes_supported") is { Count: > 0 } scopes
            && options.Scopes.Except(scopes).ToList() is { Count: > 0 } unknown)
        {
            diagnosis.Warn(
                "ISS008", subject, $"it does not list the scopes {string.Join(", ", unknown)}",
                "Remove them from scopes, or enable them at the provider");
        }

        // A code that nobody issued: the provider authenticates the client before it looks at the code (RFC 6749,
        // section 5.2).
        var callback = examined.Options.CreateRouter().PublicHost.Origin + OidcProvider.CallbackOf(name);
        using var request = AsClient(
            tokens, document, options,
            [
                new("grant_type", "authorization_code"), new("code", "doctor"), new("redirect_uri", callback),
                new("code_verifier", new string('d', 43)),
            ]);
        using var answer = await client.SendAsync(request, cancellationToken);
        var error = ErrorOf(await ClientVisit.ReadAsync(answer.Content, cancellationToken));
        if (error is "invalid_client" or "unauthorized_client")
        {
            diagnosis.Error(
                "ISS007", subject,
                $"its token endpoint answers {(int)answer.StatusCode} {error} to the client \"{options.ClientId}\" "
                    + "and its secret");
            return;
        }

        if (diagnosis.Has("NET003", Severity.Error) || diagnosis.Has("NET004", Severity.Error))
        {
            diagnosis.NotRun(
                "ISS", subject,
                "the redirect URI was not checked: it is below the public URL, which does not lead here");
            return;
        }

        await InspectRedirectAsync(
            client, subject, document, authorization, callback, options, diagnosis, cancellationToken);
    }

    private static HttpRequestMessage BeginSignIn(
        Uri url, bool isPushed, JsonElement document, string callback, OidcOptions options)
    {
        List<KeyValuePair<string, string>> parameters =
        [
            new("client_id", options.ClientId),
            new("redirect_uri", callback),
            new("response_type", "code"),
            new("scope", string.Join(' ', options.Scopes)),
            new("state", "doctor"),
            new("nonce", "doctor"),
            new("code_challenge", Base64Url.EncodeToString(SHA256.HashData("doctor"u8))),
            new("code_challenge_method", "S256"),
        ];
        if (isPushed)
        {
            return AsClient(url, document, options, parameters);
        }

        var request = new HttpRequestMessage(HttpMethod.Get, QueryHelpers.AddQueryString(
            url.ToString(), parameters.Select(static one => KeyValuePair.Create(one.Key, (string?)one.Value))));
        request.Headers.Accept.ParseAdd("text/html"); // the answer is a page for people
        return request;
    }

    // As OidcTokenClient does it.
    private static HttpRequestMessage AsClient(
        Uri endpoint, JsonElement document, OidcOptions options, List<KeyValuePair<string, string>> form)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, endpoint);
        var ways = Texts(document, "token_endpoint_auth_methods_supported");
        if (ways.Count == 0 || ways.Contains("client_secret_basic"))
        {
            request.Headers.TryAddWithoutValidation(
                "Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(
                $"{System.Net.WebUtility.UrlEncode(options.ClientId)}:"
                    + $"{System.Net.WebUtility.UrlEncode(options.ClientSecret)}")));
        }
        else
        {
            form.RemoveAll(static one => one.Key == "client_id");
            form.Add(new("client_id", options.ClientId));
            form.Add(new("client_secret", options.ClientSecret!));
        }

        request.Content = new FormUrlEncodedContent(form);
        return request;
    }

    // A sign-in that nobody continues. A provider that does not know the address must not redirect there (RFC 6749,
    // section 4.1.2.1); one that requires pushed requests reports that in the answer to the push (RFC 9126, section
    // 2.3).
    private static async Task InspectRedirectAsync(
        HttpClient client, string subject, JsonElement document, Uri authorization, string callback,
        OidcOptions options,
        Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        const string pushed = "pushed_authorization_request_endpoint";
        var isPushed = document.TryGetProperty("require_pushed_authorization_requests", out var isRequired)
            && isRequired.ValueKind == JsonValueKind.True;
        if ((isPushed ? OidcTokenClient.Endpoint(document.Text(pushed)) : authorization) is not { } url)
        {
            diagnosis.Error("ISS008", subject, $"it requires pushed requests, but its document names no safe {pushed}");
            return;
        }

        using var request = BeginSignIn(url, isPushed, document, callback, options);
        using var answer = await client.SendAsync(request, cancellationToken);
        var endpoint = isPushed ? "pushed authorization request endpoint" : "authorization endpoint";
        if ((int)answer.StatusCode >= 400)
        {
            var body = await ClientVisit.ReadAsync(answer.Content, cancellationToken);
            if (body.Contains("redirect", StringComparison.OrdinalIgnoreCase))
            {
                diagnosis.Error(
                    "ISS006", subject, $"its {endpoint} answers {(int)answer.StatusCode} to redirect_uri {callback}",
                    $"Register {callback} as a redirect URI of the client \"{options.ClientId}\"");
            }
            else
            {
                diagnosis.Error(
                    "ISS008", subject, $"its {endpoint} answers {(int)answer.StatusCode} to the start of a sign-in");
            }
        }
        else if (answer.Headers.Location is { } location
            && location.OriginalString.StartsWith(callback, StringComparison.Ordinal)
            && QueryHelpers.ParseQuery(location.Query).TryGetValue("error", out var refusal)
            && refusal != "login_required" && refusal != "consent_required")
        {
            diagnosis.Error("ISS008", subject, $"it refuses to start a sign-in: {refusal}");
        }
    }

    private static async Task<JsonElement?> ReadAsync(
        HttpClient client, Uri address, string subject, ExaminedGateway examined, Diagnosis diagnosis,
        CancellationToken cancellationToken, bool isKeys = false)
    {
        var id = isKeys ? "ISS003" : "ISS001";
        try
        {
            using var answer = await client.GetAsync(address, cancellationToken);
            if ((int)answer.StatusCode != 200)
            {
                diagnosis.Error(id, subject, $"GET {address} is answered {(int)answer.StatusCode}");
                return null;
            }

            var now = examined.Time.GetUtcNow();
            if (answer.Headers.Date is { } date && (date - now).Duration() > IdTokenVerifier.Leeway)
            {
                diagnosis.Error(
                    "ISS005", subject,
                    $"its clock says {DoctorText.At(date)}, this machine's {DoctorText.At(now)}: "
                        + $"{DoctorText.Span(date - now)} apart");
                return null;
            }

            using var document = JsonDocument.Parse(await ClientVisit.ReadAsync(answer.Content, cancellationToken));
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document.RootElement.Clone();
            }

            diagnosis.Error(id, subject, $"the answer of {address} is not a JSON object");
        }
        catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException)
        {
            diagnosis.Error("ISS004", subject, DoctorText.Of(exception));
        }
        catch (HttpRequestException exception) when (exception.InnerException is IssuerException refused)
        {
            diagnosis.Error(id, subject, refused.Message);
        }
        catch (JsonException)
        {
            diagnosis.Error(id, subject, $"the answer of {address} is not JSON");
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            diagnosis.Error(
                id, subject,
                exception is HttpRequestException
                    ? DoctorText.Of(exception)
                    : $"{address} does not answer within {DoctorText.Span(IssuerHttp.Timeout)}");
        }

        return null;
    }

    private static string? ErrorOf(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Text("error") : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static List<string> Texts(JsonElement document, string name) =>
        document.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [
                .. value.EnumerateArray()
                    .Where(static one => one.ValueKind == JsonValueKind.String)
                    .Select(static one => one.GetString()!),
            ]
            : [];
}
