using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Core.Registry;
using Microsoft.AspNetCore.WebUtilities;

namespace Gateway.Doctor.Client;

/// <summary>Tokens, for nobody and for the user: given, in time, brought back; and what may be done with a repository.</summary>
internal static class TokenStep
{
    private const int ShortestLife = 60; // what clients take for the least there is (protocol of the token exchange)

    /// <summary>Looks.</summary>
    public static async Task<bool> LookAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        try
        {
            return await LookInsideAsync(visit, cancellationToken);
        }
        catch (KeptSecretException exception)
        {
            visit.Diagnosis.NotRun("TKN", visit.Question.Name, exception.Message);
            return true;
        }
    }

    private static async Task<bool> LookInsideAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        if (visit.Challenge is not { } challenge)
        {
            return true; // it is open
        }

        if (question.User is not null && !visit.IsTrusted)
        {
            diagnosis.NotRun("TKN", question.Name, "the certificate is not trusted, so no password is sent there");
            return true;
        }

        if (question.Repository is { } named && !RepositoryName.TryParse(named, out _))
        {
            diagnosis.NotRun("TKN", named, "this is no name of a repository: team-a/app, without the registry and without a tag");
            return true;
        }

        if (challenge.IsBasic)
        {
            return await LookWithBasicAsync(visit, cancellationToken);
        }

        var realm = new Uri(challenge.Realm);
        var anonymous = await AskAsync(visit, realm, challenge, null, [], cancellationToken);
        if (anonymous.Token is { } nobody)
        {
            await InspectReturnAsync(visit, nobody, isAnybodys: true, cancellationToken);
        }
        else if (anonymous.Status is HttpStatusCode.OK)
        {
            diagnosis.Error("TKN002", question.Name, $"{realm.GetLeftPart(UriPartial.Path)} answers 200 without a token that a header can carry: {MessageOf(visit, anonymous.Body)}");
            return false;
        }

        await diagnosis.AttemptAsync(
            "DCK", $"the login stored for {question.Name}", () => InspectStoredLoginAsync(visit, realm, challenge, cancellationToken), cancellationToken);
        if (question.User is not { } user)
        {
            if (question.Repository is not null)
            {
                diagnosis.NotRun("TKN", question.Repository, "whose rights? Give --user");
            }

            return true;
        }

        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{question.Password}"));
        string[] scopes = question.Repository is { } wanted ? [$"repository:{wanted}:pull,push,delete"] : [];
        var granted = await AskAsync(visit, realm, challenge, basic, scopes, cancellationToken);
        diagnosis.Hide(granted.Token);
        if (granted.Token is not { } token)
        {
            diagnosis.Error(granted.Status == HttpStatusCode.OK ? "TKN002" : granted.Status == HttpStatusCode.TooManyRequests ? "LIM010" : "TKN001", $"{user} at {question.Name}", $"{(int)granted.Status}: {MessageOf(visit, granted.Body)}");
            return false;
        }

        if (!diagnosis.Has("TKN003"))
        {
            InspectLife(visit, granted.Life);
        }

        await InspectPostAsync(visit, realm, challenge, user, cancellationToken);
        if (!await InspectReturnAsync(visit, token, isAnybodys: false, cancellationToken))
        {
            return false;
        }

        diagnosis.Pass("TKN", $"{user} at {question.Name}", granted.Life is { } life ? $"he is signed in; his tokens live {DoctorText.Span(life)}" : "he is signed in");
        if (question.Repository is { } repository)
        {
            await InspectRightsAsync(visit, repository, "Bearer " + token, GrantedBy(token, repository), cancellationToken);
        }

        return true;
    }

    private static async Task<bool> LookWithBasicAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        if (question.User is not { } user)
        {
            return true;
        }

        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{question.Password}"));
        using var answer = await SendAsync(visit, HttpMethod.Get, visit.At("/v2/"), basic, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.OK)
        {
            diagnosis.Pass("TKN", $"{user} at {question.Name}", "he is signed in");
            if (question.Repository is { } repository)
            {
                await InspectRightsAsync(visit, repository, basic, null, cancellationToken);
            }

            return true;
        }

        diagnosis.Error("TKN001", $"{user} at {question.Name}", $"{(int)answer.StatusCode}: {MessageOf(visit, await ClientVisit.ReadAsync(answer.Content, cancellationToken))}");
        return false;
    }

    // A login that docker stored, shown where docker would show it.
    private static async Task InspectStoredLoginAsync(ClientVisit visit, Uri realm, AuthenticationChallenge challenge, CancellationToken cancellationToken)
    {
        if (ClientFiles.StoredLoginOf(visit.Question) is not var (user, secret, isRefreshToken))
        {
            return;
        }

        visit.Diagnosis.Hide(secret);
        visit.Diagnosis.Hide(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}")));
        if (!visit.IsTrusted || (visit.Question.Url.Scheme == "http" && !visit.Question.IsLoopback))
        {
            visit.Diagnosis.NotRun("DCK", $"the login stored for {visit.Question.Name}", "the registry is not trusted, so it is not shown there");
            return;
        }

        var answer = isRefreshToken
            ? await PostAsync(visit, realm, [new("grant_type", "refresh_token"), new("refresh_token", secret), new("service", challenge.Service ?? ""), new("client_id", "doctor")], cancellationToken)
            : await AskAsync(visit, realm, challenge, "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}")), [], cancellationToken);
        if (answer.Token is null && answer.Status is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest or HttpStatusCode.Forbidden)
        {
            visit.Diagnosis.Error("DCK010", $"the login stored for {visit.Question.Name}", $"{(int)answer.Status}: {MessageOf(visit, answer.Body)}", $"docker logout {visit.Question.Name}; docker login {visit.Question.Name}");
        }
    }

    // Whether a token that was given is seen again at the registry: something in between may take the header out.
    private static async Task<bool> InspectReturnAsync(ClientVisit visit, string token, bool isAnybodys, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, visit.At("/v2/"));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        using var answer = isAnybodys ? await visit.Http.SendAsync(request, cancellationToken) : await SendSecretAsync(visit, request, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Unauthorized)
        {
            return true;
        }

        var challenge = answer.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values) ? Challenges.Parse(string.Join(", ", values)) : [];
        if (challenge is [{ IsBearer: true } one, ..] && one.Parameters.TryGetValue("error", out var error))
        {
            visit.Diagnosis.Error("TKN002", visit.Question.Name, $"the registry does not take the token that its own realm gave: {error} {one.Parameters.GetValueOrDefault("error_description", "")}");
        }
        else
        {
            visit.Diagnosis.Error("CHL006", visit.Question.Name, "a token that its own realm gave is answered as if none had been sent");
        }

        return false;
    }

    private static void InspectLife(ClientVisit visit, TimeSpan? life)
    {
        if (life is { TotalSeconds: < ShortestLife } brief)
        {
            visit.Diagnosis.Warn("TKN003", visit.Question.Name, string.Create(CultureInfo.InvariantCulture, $"expires_in {brief.TotalSeconds:F0}"));
        }
    }

    private static async Task InspectPostAsync(ClientVisit visit, Uri realm, AuthenticationChallenge challenge, string user, CancellationToken cancellationToken)
    {
        var answer = await PostAsync(
            visit, realm,
            [new("grant_type", "password"), new("username", user), new("password", visit.Question.Password ?? ""), new("service", challenge.Service ?? ""), new("client_id", "doctor")],
            cancellationToken);
        if (answer.Token is null)
        {
            visit.Diagnosis.Inform("TKN006", visit.Question.Name, $"POST is answered {(int)answer.Status}: clients use GET then, except with stored refresh tokens");
        }
    }

    private static async Task InspectRightsAsync(ClientVisit visit, string repository, string authorization, List<string>? granted, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        using var tags = await SendAsync(visit, HttpMethod.Get, visit.At($"/v2/{repository}/tags/list"), authorization, cancellationToken);
        var body = await ClientVisit.ReadAsync(tags.Content, cancellationToken);
        InspectLimit(visit, tags);
        if (granted is not null && !granted.Contains("pull"))
        {
            diagnosis.Error("TKN005", $"{question.User} on {repository}", $"asked for pull, push and delete, granted {(granted.Count == 0 ? "nothing" : string.Join(", ", granted))}{(tags.IsSuccessStatusCode ? "" : $"; {(int)tags.StatusCode}: {MessageOf(visit, body)}")}");
            return;
        }

        switch (tags.StatusCode)
        {
            case HttpStatusCode.OK or HttpStatusCode.NotFound:
                diagnosis.Pass("TKN", $"{question.User} on {repository}", granted is null ? "he may read it" : $"he may {string.Join(", ", granted)}{(granted.Contains("push") ? "" : "; not push")}");
                break;
            case HttpStatusCode.TooManyRequests:
                break; // said
            default:
                diagnosis.Error("TKN005", $"{question.User} on {repository}", $"{(int)tags.StatusCode}: {MessageOf(visit, body)}");
                return;
        }

        if (tags.IsSuccessStatusCode)
        {
            await InspectManifestAsync(visit, repository, authorization, body, cancellationToken);
        }

        if (question.MayProbeUploads && granted?.Contains("push") != false)
        {
            await ProbeUploadAsync(visit, repository, authorization, cancellationToken);
        }
        else if (!question.MayProbeUploads)
        {
            diagnosis.Inform("UPS009", repository, "not asked for", "--upload-probe begins an upload and cancels it");
        }
    }

    private static async Task InspectManifestAsync(ClientVisit visit, string repository, string authorization, string tagList, CancellationToken cancellationToken)
    {
        if (FirstTag(tagList) is not { } tag)
        {
            return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, visit.At($"/v2/{repository}/manifests/{tag}"));
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        foreach (var accept in new[] { "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json" })
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        using var answer = await SendSecretAsync(visit, request, cancellationToken);
        InspectLimit(visit, answer);
        if (!answer.IsSuccessStatusCode)
        {
            return;
        }

        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(await answer.Content.ReadAsByteArrayAsync(cancellationToken)));
        if (answer.Headers.TryGetValues("Docker-Content-Digest", out var values) && values.First() is var said && said.StartsWith("sha256:", StringComparison.Ordinal) && said != digest)
        {
            visit.Diagnosis.Error("NET012", $"{repository}:{tag}", $"the registry says {said}, and what arrives is {digest}");
        }
    }

    private static void InspectLimit(ClientVisit visit, HttpResponseMessage answer)
    {
        if (visit.Diagnosis.Has("LIM010", Severity.Information))
        {
            return;
        }

        int? Number(string name) => answer.Headers.TryGetValues(name, out var values)
            && int.TryParse(values.First().Split(';')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        var (limit, left) = (Number("ratelimit-limit"), Number("ratelimit-remaining"));
        if (answer.StatusCode == HttpStatusCode.TooManyRequests)
        {
            visit.Diagnosis.Error("LIM010", visit.Question.Name, $"429{(answer.Headers.RetryAfter is { } wait ? $"; again in {wait} s" : "")}");
        }
        else if (limit is { } most && left is { } rest)
        {
            if (rest * 10L < most)
            {
                visit.Diagnosis.Warn("LIM010", visit.Question.Name, $"{rest} of {most} requests are left");
            }
            else
            {
                visit.Diagnosis.Inform("LIM011", visit.Question.Name, $"{rest} of {most} requests are left");
            }
        }
    }

    private static async Task ProbeUploadAsync(ClientVisit visit, string repository, string authorization, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        using var begun = await SendAsync(visit, HttpMethod.Post, visit.At($"/v2/{repository}/blobs/uploads/"), authorization, cancellationToken);
        if (begun.StatusCode != HttpStatusCode.Accepted || begun.Headers.Location is not { } location)
        {
            diagnosis.Error(begun.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized ? "TKN005" : "UPL004", repository, $"an upload is answered {(int)begun.StatusCode}: {MessageOf(visit, await ClientVisit.ReadAsync(begun.Content, cancellationToken))}");
            return;
        }

        if (!TryResolve(question.Url, location, out var target))
        {
            diagnosis.Error("UPL003", repository, $"an upload's Location is no address: {location.OriginalString}");
            return;
        }

        if (!IsAtRegistry(question, target))
        {
            diagnosis.Error("UPL003", repository, $"an upload's Location leads to {target.GetLeftPart(UriPartial.Authority)}, and clients reach {question.Url.GetLeftPart(UriPartial.Authority)}");
            target = new Uri(question.Url, target.PathAndQuery);
        }
        else
        {
            await diagnosis.AttemptAsync(
                "UPL", repository, async () => target = await SendChunksAsync(visit, repository, authorization, target, cancellationToken), cancellationToken);
        }

        using var ended = await SendAsync(visit, HttpMethod.Delete, target, authorization, cancellationToken);
        if (!diagnosis.Has("UPL") && !diagnosis.Findings.Any(finding => finding.Severity == Severity.NotRun && finding.Subject == repository && finding.Id == "UPL"))
        {
            diagnosis.Pass("UPL", repository, ended.IsSuccessStatusCode
                ? "an upload begins, takes chunks and is cancelled"
                : string.Create(CultureInfo.InvariantCulture, $"an upload begins and takes chunks (to cancel it is answered {(int)ended.StatusCode}: it ends by itself)"));
        }
    }

    private static async Task<Uri> SendChunksAsync(ClientVisit visit, string repository, string authorization, Uri target, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        foreach (var size in new[] { 1024, 64 * 1024, 1536 * 1024 })
        {
            using var request = new HttpRequestMessage(HttpMethod.Patch, target) { Content = new ByteArrayContent(new byte[size]) };
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
            request.Content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue("application/octet-stream");
            using var answer = await SendSecretAsync(visit, request, cancellationToken);
            if (answer.StatusCode != HttpStatusCode.Accepted || answer.Headers.Location is not { } location || !TryResolve(target, location, out var next))
            {
                var body = await ClientVisit.ReadAsync(answer.Content, cancellationToken);
                diagnosis.Error(
                    answer.StatusCode == HttpStatusCode.RequestEntityTooLarge ? "UPL001" : "UPL004", repository,
                    string.Create(CultureInfo.InvariantCulture, $"a chunk of {size / 1024} KiB is answered {(int)answer.StatusCode}: {MessageOf(visit, body)}"));
                break;
            }

            if (!IsAtRegistry(question, next))
            {
                diagnosis.Error("UPL003", repository, $"the Location after a chunk leads to {next.GetLeftPart(UriPartial.Authority)}, and clients reach {question.Url.GetLeftPart(UriPartial.Authority)}");
                break;
            }

            target = next;
        }

        return target;
    }

    private static bool TryResolve(Uri at, Uri location, [NotNullWhen(true)] out Uri? target) =>
        Uri.TryCreate(at, location.OriginalString, out target) && target.Scheme is ("http" or "https");

    private static bool IsAtRegistry(ClientQuestion question, Uri target) =>
        target.Scheme == question.Url.Scheme && target.Authority == question.Url.Authority;

    private static async Task<TokenReply> AskAsync(
        ClientVisit visit, Uri realm, AuthenticationChallenge challenge, string? authorization, string[] scopes, CancellationToken cancellationToken)
    {
        var url = realm.AbsoluteUri;
        if (challenge.Service is { } service)
        {
            url = QueryHelpers.AddQueryString(url, "service", service);
        }

        foreach (var scope in scopes)
        {
            url = QueryHelpers.AddQueryString(url, "scope", scope);
        }

        using var answer = await SendAsync(visit, HttpMethod.Get, new Uri(url), authorization, cancellationToken);
        return TokenReply.Read(answer.StatusCode, await ClientVisit.ReadAsync(answer.Content, cancellationToken));
    }

    private static async Task<TokenReply> PostAsync(ClientVisit visit, Uri realm, List<KeyValuePair<string, string>> form, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, realm) { Content = new FormUrlEncodedContent(form) };
        using var answer = await SendSecretAsync(visit, request, cancellationToken);
        return TokenReply.Read(answer.StatusCode, await ClientVisit.ReadAsync(answer.Content, cancellationToken));
    }

    private static async Task<HttpResponseMessage> SendAsync(ClientVisit visit, HttpMethod method, Uri url, string? authorization, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, url);
        if (authorization is null)
        {
            return await visit.Http.SendAsync(request, cancellationToken);
        }

        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await SendSecretAsync(visit, request, cancellationToken);
    }

    // The one way that passwords and tokens of people go.
    private static async Task<HttpResponseMessage> SendSecretAsync(ClientVisit visit, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var url = request.RequestUri!;
        if (!visit.MayReceiveSecrets(url))
        {
            throw new KeptSecretException($"{url.GetLeftPart(UriPartial.Authority)} is neither the registry nor a realm with TLS, so no password is sent there");
        }

        try
        {
            return await visit.GuardedHttp.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException)
        {
            throw new KeptSecretException($"the certificate of {url.Authority} is not trusted, so no password is sent there");
        }
    }

    // What a token says of itself (Distribution, "Token Authentication Implementation"); nothing is concluded where it is another kind.
    private static List<string>? GrantedBy(string token, string repository)
    {
        var parts = token.Split('.');
        if (parts.Length != 3)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(WebEncoders.Base64UrlDecode(parts[1]));
            return document.RootElement.TryGetProperty("access", out var access) && access.ValueKind == JsonValueKind.Array
                ? [.. access.EnumerateArray()
                    .Where(one => one.TryGetProperty("name", out var name) && name.GetString() == repository && one.TryGetProperty("actions", out _))
                    .SelectMany(static one => one.GetProperty("actions").EnumerateArray()).Select(static action => action.GetString()!)]
                : null;
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? FirstTag(string tagList)
    {
        try
        {
            using var document = JsonDocument.Parse(tagList);
            return document.RootElement.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Array
                ? tags.EnumerateArray().Where(static one => one.ValueKind == JsonValueKind.String).Select(static one => one.GetString()!).FirstOrDefault(static one => Tag.TryParse(one, out _))
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string MessageOf(ClientVisit visit, string body)
    {
        body = visit.Diagnosis.Redact(body); // before it is cut
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array && errors.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } first)
            {
                return first.TryGetProperty("message", out var message) ? message.ToString() : first.ToString();
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // as it is
        }

        return DoctorText.OneLine(body.Length > 160 ? body[..160] : body);
    }

    private sealed class KeptSecretException(string message) : Exception(message);

    private sealed record TokenReply(HttpStatusCode Status, string? Token, TimeSpan? Life, string Body)
    {
        // What a header can carry; a token of anything else would be left out, and a proxy blamed for it.
        private static bool IsSendable(string token) => token.All(static c => c is > ' ' and <= '~');

        public static TokenReply Read(HttpStatusCode status, string body)
        {
            if (status == HttpStatusCode.OK)
            {
                try
                {
                    using var document = JsonDocument.Parse(body);
                    var root = document.RootElement;
                    string? Text(string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text && IsSendable(text) ? text : null;
                    return new TokenReply(
                        status,
                        Text("token") ?? Text("access_token"),
                        root.TryGetProperty("expires_in", out var life) && life.ValueKind == JsonValueKind.Number && life.TryGetInt32(out var seconds) ? TimeSpan.FromSeconds(seconds) : null,
                        "");
                }
                catch (Exception exception) when (exception is JsonException or InvalidOperationException)
                {
                    // said by whoever asked
                }
            }

            return new TokenReply(status, null, null, body);
        }
    }
}
