namespace Gateway.Client.Doctor.Client;

/// <summary>
/// Whether pages of an origin may use the registry: the preflight that a browser would send (Fetch standard).
/// </summary>
internal static class CorsStep
{
    /// <summary>Runs the step.</summary>
    public static async Task<bool> LookAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        if (question.Origin is not { } origin)
        {
            return true;
        }

        using var request = new HttpRequestMessage(HttpMethod.Options, visit.At("/v2/"));
        request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Method", "GET");
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Headers", "authorization");
        using var answer = await visit.Http.SendAsync(request, cancellationToken);
        string? Header(string name) =>
            answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
        var allowed = Header("Access-Control-Allow-Origin");
        var headers = Header("Access-Control-Allow-Headers");
        if (!answer.IsSuccessStatusCode || allowed is null)
        {
            diagnosis.Error(
                "COR010", question.Name,
                $"the preflight of a page of {origin} is answered {(int)answer.StatusCode}, "
                    + $"{(allowed is null ? "without Access-Control-Allow-Origin" : $"allowing {allowed}")}",
                    $"In gateway.yaml: cors: {{ origins: [ \"{origin}\" ] }}");
        }
        else if (allowed != origin && allowed != "*")
        {
            diagnosis.Error("COR010", question.Name, $"pages of {allowed} are allowed, but not those of {origin}");
        }
        else if (allowed == "*" && Header("Access-Control-Allow-Credentials") == "true")
        {
            diagnosis.Error(
                "COR011", question.Name,
                "Access-Control-Allow-Origin: * with Access-Control-Allow-Credentials: true, which browsers refuse");
        }
        else if (headers?.Split(',', StringSplitOptions.TrimEntries).Contains(
            "authorization", StringComparer.OrdinalIgnoreCase) != true)
        {
            diagnosis.Error(
                "COR012", question.Name, $"Access-Control-Allow-Headers is \"{headers ?? ""}\", without Authorization "
                    + "(\"*\" does not include it)");
        }
        else
        {
            diagnosis.Pass("COR", question.Name, $"pages of {origin} may use the registry");
        }

        return true;
    }
}
