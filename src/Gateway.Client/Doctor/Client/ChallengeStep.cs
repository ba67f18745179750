using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Gateway.Client.Doctor.Client;

/// <summary>
/// Whether a registry answers with a challenge that clients understand, and with a realm that they can reach.
/// </summary>
internal static class ChallengeStep
{
    /// <summary>How far clocks may differ before tokens break.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(60);

    /// <summary>Runs the step.</summary>
    public static async Task<bool> LookAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        HttpResponseMessage answer;
        try
        {
            answer = await visit.Http.GetAsync(visit.At("/v2/"), cancellationToken);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            diagnosis.Error(
                "CHL005", question.Name,
                exception is HttpRequestException ? DoctorText.Of(exception) : "GET /v2/ is not answered in time");
            return false;
        }

        using (answer)
        {
            InspectClock(visit, answer.Headers, question.Name);
            var body = await ClientVisit.ReadAsync(answer.Content, cancellationToken);
            var type = answer.Content.Headers.ContentType?.MediaType ?? "";
            switch (answer.StatusCode)
            {
                case HttpStatusCode.Unauthorized:
                    return await InspectAsync(visit, answer.Headers, type, cancellationToken);
                case HttpStatusCode.OK
                    when body.Trim() is "{}" or "" || answer.Headers.Contains("Docker-Distribution-Api-Version"):
                    diagnosis.Warn("CHL001", question.Name, "GET /v2/ is answered 200 without a sign-in");
                    return true;
                case HttpStatusCode.TooManyRequests:
                    diagnosis.Error("LIM010", question.Name, $"GET /v2/ is answered 429: {visit.MessageOf(body)}");
                    return false;
                case HttpStatusCode.ProxyAuthenticationRequired:
                    diagnosis.Error("PRX004", question.Name, "407: a proxy in between requires a sign-in of its own");
                    return false;
                case >= HttpStatusCode.InternalServerError:
                    diagnosis.Error("CHL007", question.Name, $"GET /v2/ is answered {(int)answer.StatusCode}: {body}");
                    return false;
                default:
                    var redirect = answer.Headers.Location is { } location
                        ? $", redirects to {DoctorText.OneLine(location.OriginalString)}"
                        : "";
                    diagnosis.Error(
                        "CHL005", question.Name,
                        $"GET /v2/ is answered {(int)answer.StatusCode} "
                            + $"({(type.Length > 0 ? type : "no type")}{redirect})");
                    return false;
            }
        }
    }

    private static async Task<bool> InspectAsync(
        ClientVisit visit, HttpResponseHeaders headers, string type, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        var text = headers.NonValidated.TryGetValues("WWW-Authenticate", out var values)
            ? string.Join(", ", values)
            : "";
        var challenges = Challenges.Parse(text);
        if (challenges.Count == 0)
        {
            diagnosis.Error(
                "CHL002", question.Name, $"401 without WWW-Authenticate ({(type.Length > 0 ? type : "no type")}): "
                    + "something in between removes it, or answers itself");
            return false;
        }

        if (challenges.FirstOrDefault(static one => one.Fault is not null) is { Fault: { } fault })
        {
            diagnosis.Error("CHL002", question.Name, $"{fault}: {text}");
            return false;
        }

        if (challenges.Any(static one => one.IsBearer) && challenges.Any(static one => one.IsBasic))
        {
            diagnosis.Warn("CHL008", question.Name, $"Bearer and Basic at once: {text}");
        }

        visit.Challenge = challenges.FirstOrDefault(static one => one.IsBearer)
            ?? challenges.FirstOrDefault(static one => one.IsBasic);
        if (visit.Challenge is null)
        {
            diagnosis.Error("CHL002", question.Name, $"neither Bearer nor Basic: {text}");
            return false;
        }

        return !visit.Challenge.IsBearer || await InspectRealmAsync(visit, visit.Challenge, cancellationToken);
    }

    private static async Task<bool> InspectRealmAsync(
        ClientVisit visit, AuthenticationChallenge challenge, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        if (!Uri.TryCreate(challenge.Realm, UriKind.Absolute, out var realm) || realm.Scheme is not ("https" or "http"))
        {
            diagnosis.Error("CHL002", question.Name, $"the realm \"{challenge.Realm}\" is not an address");
            return false;
        }

        if (question.Url.Scheme == "https" && realm.Scheme == "http")
        {
            diagnosis.Error(
                "CHL003", question.Name, $"the realm {challenge.Realm} is http, so passwords would be sent there "
                    + "unencrypted; many clients refuse it");
            return false;
        }

        var isHere = realm.Authority == question.Url.Authority;
        try
        {
            using var answer = await visit.Http.GetAsync(realm, cancellationToken);
            InspectClock(visit, answer.Headers, realm.Authority);
            if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed
                or >= HttpStatusCode.InternalServerError)
            {
                diagnosis.Error(
                    "CHL004", question.Name, $"the realm {challenge.Realm} is answered {(int)answer.StatusCode}");
                return false;
            }
        }
        catch (Exception exception)
            when (exception is HttpRequestException or SocketException or ProxyRefusalException or TimeoutException
                or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            diagnosis.Error(
                isHere ? "CHL004" : "CHL003", question.Name,
                $"the realm {challenge.Realm}{(isHere ? "" : $" is not at {question.Name}, and")} cannot be reached:"
                    + $" {DoctorText.Of(exception)}");
            return false;
        }

        // Many registries have a token server with its own name; the same host with another port is a gateway behind a
        // proxy.
        if (!isHere && realm.Host == question.Url.Host)
        {
            diagnosis.Error(
                "CHL003", question.Name, $"the realm {challenge.Realm} is on another port of the same host");
            return false;
        }

        if (!isHere)
        {
            diagnosis.Inform(
                "CHL003", question.Name,
                $"tokens come from {realm.Authority}, which clients must reach and trust as well");
        }

        diagnosis.Pass(
            "CHL", question.Name, $"it requires tokens from {realm.GetLeftPart(UriPartial.Path)}, which answers");
        return true;
    }

    private static void InspectClock(ClientVisit visit, HttpResponseHeaders headers, string subject)
    {
        if (headers.Date is not { } date)
        {
            return;
        }

        var now = visit.Time.GetUtcNow();
        var difference = (date - now).Duration();
        if (difference > ClockTolerance && !visit.Diagnosis.Has("TKN004"))
        {
            visit.Diagnosis.Error(
                "TKN004", subject,
                $"its clock says {DoctorText.At(date)}, this machine's {DoctorText.At(now)}: "
                    + $"{DoctorText.Span(difference)} apart");
        }
    }
}
