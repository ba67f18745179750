using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;

namespace Gateway.Client.Doctor.Client;

/// <summary>
/// Tokens, anonymous and for the user: issued, valid long enough, accepted by the registry; and rights in a repository.
/// </summary>
internal static class TokenStep
{
    // In seconds: what clients assume at least (Distribution, "Token Authentication Specification").
    private const int ShortestLife = 60;

    /// <summary>Runs the step.</summary>
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
            return true; // the registry is open
        }

        if (question.User is not null && !visit.IsTrusted)
        {
            diagnosis.NotRun("TKN", question.Name, "the certificate is not trusted, so no password is sent there");
            return true;
        }

        if (question.Repository is { } named && !RepositoryName.TryParse(named, out _))
        {
            diagnosis.NotRun(
                "TKN", named,
                "this is not a repository's name; write team-a/app, without the registry and without a tag");
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
            diagnosis.Error(
                "TKN002", question.Name, $"{realm.GetLeftPart(UriPartial.Path)} answers 200 without a token that fits "
                    + $"into a header: {visit.MessageOf(anonymous.Body)}");
            return false;
        }

        await diagnosis.AttemptAsync(
            "DCK", $"the stored login for {question.Name}",
            () => InspectStoredLoginAsync(visit, realm, challenge, cancellationToken), cancellationToken);
        if (question.User is not { } user)
        {
            if (question.Repository is not null)
            {
                diagnosis.NotRun("TKN", question.Repository, "rights belong to a user: give --user");
            }

            return true;
        }

        return await LookAsUserAsync(visit, realm, challenge, user, cancellationToken);
    }

    private static async Task<bool> LookAsUserAsync(
        ClientVisit visit, Uri realm, AuthenticationChallenge challenge, string user,
        CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{question.Password}"));
        string[] scopes = question.Repository is { } wanted ? [$"repository:{wanted}:pull,push,delete"] : [];
        var granted = await AskAsync(visit, realm, challenge, basic, scopes, cancellationToken);
        diagnosis.Hide(granted.Token);
        if (granted.Token is not { } token)
        {
            diagnosis.Error(
                granted.Status == HttpStatusCode.OK
                    ? "TKN002"
                    : granted.Status == HttpStatusCode.TooManyRequests ? "LIM010" : "TKN001",
                    $"{user} at {question.Name}", $"{(int)granted.Status}: {visit.MessageOf(granted.Body)}");
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

        diagnosis.Pass(
            "TKN", $"{user} at {question.Name}",
            granted.Life is { } life
                ? $"the sign-in succeeds; tokens are valid for {DoctorText.Span(life)}"
                : "the sign-in succeeds");
        if (question.Repository is { } repository)
        {
            await RepositoryLook.LookAsync(
                visit, repository, "Bearer " + token, GrantedBy(token, repository), cancellationToken);
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
        using var answer = await visit.SendAsync(HttpMethod.Get, visit.At("/v2/"), basic, cancellationToken);
        if (answer.StatusCode == HttpStatusCode.OK)
        {
            diagnosis.Pass("TKN", $"{user} at {question.Name}", "the sign-in succeeds");
            if (question.Repository is { } repository)
            {
                await RepositoryLook.LookAsync(visit, repository, basic, null, cancellationToken);
            }

            return true;
        }

        diagnosis.Error(
            "TKN001", $"{user} at {question.Name}",
            $"{(int)answer.StatusCode}: {visit.MessageOf(await ClientVisit.ReadAsync(answer.Content, cancellationToken))}");
        return false;
    }

    // A login that docker stored, sent where docker would send it.
    private static async Task InspectStoredLoginAsync(
        ClientVisit visit, Uri realm, AuthenticationChallenge challenge, CancellationToken cancellationToken)
    {
        if (ClientFiles.StoredLoginOf(visit.Question) is not var (user, secret, isRefreshToken))
        {
            return;
        }

        visit.Diagnosis.Hide(secret);
        visit.Diagnosis.Hide(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}")));
        if (!visit.IsTrusted || (visit.Question.Url.Scheme == "http" && !visit.Question.IsLoopback))
        {
            visit.Diagnosis.NotRun(
                "DCK", $"the stored login for {visit.Question.Name}",
                "the registry is not trusted, so the login is not sent there");
            return;
        }

        var answer = isRefreshToken
            ? await PostAsync(
                visit, realm,
                [
                    new("grant_type", "refresh_token"), new("refresh_token", secret),
                    new("service", challenge.Service ?? ""), new("client_id", "doctor"),
                ], cancellationToken)
            : await AskAsync(
                visit, realm, challenge, "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{secret}")),
                [], cancellationToken);
        if (answer.Token is null && answer.Status is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest
            or HttpStatusCode.Forbidden)
        {
            visit.Diagnosis.Error(
                "DCK010", $"the stored login for {visit.Question.Name}",
                $"{(int)answer.Status}: {visit.MessageOf(answer.Body)}",
                $"docker logout {ShellWord.Of(visit.Question.Name)}; docker login {ShellWord.Of(visit.Question.Name)}");
        }
    }

    // Whether a token that was issued reaches the registry: something in between may remove the header.
    private static async Task<bool> InspectReturnAsync(
        ClientVisit visit, string token, bool isAnybodys, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, visit.At("/v2/"));
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        using var answer = isAnybodys
            ? await visit.Http.SendAsync(request, cancellationToken)
            : await visit.SendSecretAsync(request, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Unauthorized)
        {
            return true;
        }

        var challenge = answer.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values)
            ? Challenges.Parse(string.Join(", ", values))
            : [];
        if (challenge is [{ IsBearer: true } one, ..] && one.Parameters.TryGetValue("error", out var error))
        {
            visit.Diagnosis.Error(
                "TKN002", visit.Question.Name,
                $"the registry refuses the token that its own realm issued: {error} "
                    + $"{one.Parameters.GetValueOrDefault("error_description", "")}");
        }
        else
        {
            visit.Diagnosis.Error(
                "CHL006", visit.Question.Name,
                "a request with a token from its own realm is answered as if it had none");
        }

        return false;
    }

    private static void InspectLife(ClientVisit visit, TimeSpan? life)
    {
        if (life is { TotalSeconds: < ShortestLife } brief)
        {
            visit.Diagnosis.Warn(
                "TKN003", visit.Question.Name,
                string.Create(CultureInfo.InvariantCulture, $"expires_in {brief.TotalSeconds:F0}"));
        }
    }

    private static async Task InspectPostAsync(
        ClientVisit visit, Uri realm, AuthenticationChallenge challenge, string user,
        CancellationToken cancellationToken)
    {
        var answer = await PostAsync(
            visit, realm,
            [
                new("grant_type", "password"), new("username", user), new("password", visit.Question.Password ?? ""),
                new("service", challenge.Service ?? ""), new("client_id", "doctor"),
            ],
            cancellationToken);
        if (answer.Token is null)
        {
            visit.Diagnosis.Inform(
                "TKN006", visit.Question.Name,
                $"POST is answered {(int)answer.Status}; clients then use GET, except with stored refresh tokens");
        }
    }

    private static async Task<TokenReply> AskAsync(
        ClientVisit visit, Uri realm, AuthenticationChallenge challenge, string? authorization, string[] scopes,
        CancellationToken cancellationToken)
    {
        // The realm may have a query of its own; a fragment is never sent.
        var parameters = scopes.Select(static scope => "scope=" + Uri.EscapeDataString(scope));
        if (challenge.Service is { } service)
        {
            parameters = parameters.Prepend("service=" + Uri.EscapeDataString(service));
        }

        var url = new UriBuilder(realm);
        url.Query = string.Join(
            '&', parameters.Prepend(url.Query.TrimStart('?')).Where(static part => part.Length > 0));
        using var answer = await visit.SendAsync(HttpMethod.Get, url.Uri, authorization, cancellationToken);
        return TokenReply.Read(answer.StatusCode, await ClientVisit.ReadAsync(answer.Content, cancellationToken));
    }

    private static async Task<TokenReply> PostAsync(
        ClientVisit visit, Uri realm, List<KeyValuePair<string, string>> form, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, realm)
        {
            Content = new FormUrlEncodedContent(form),
        };
        using var answer = await visit.SendSecretAsync(request, cancellationToken);
        return TokenReply.Read(answer.StatusCode, await ClientVisit.ReadAsync(answer.Content, cancellationToken));
    }

    // The token's own claims (Distribution, "Token Authentication Implementation"); nothing is concluded from tokens of
    // another kind.
    private static List<string>? GrantedBy(string token, string repository)
    {
        var parts = token.Split('.');
        if (parts.Length != 3)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
            return document.RootElement.TryGetProperty("access", out var access)
                && access.ValueKind == JsonValueKind.Array
                ? [.. access.EnumerateArray()
                    .Where(
                        one => one.TryGetProperty("name", out var name) && name.GetString() == repository
                            && one.TryGetProperty("actions", out _))
                    .SelectMany(static one => one.GetProperty("actions").EnumerateArray())
                    .Select(static action => action.GetString()!)]
                : null;
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException)
        {
            return null;
        }
    }
}
