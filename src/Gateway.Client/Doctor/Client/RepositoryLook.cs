using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Gateway.Core.Registry;

namespace Gateway.Client.Doctor.Client;

/// <summary>
/// What a user may do in a repository: rights, whether content arrives unchanged, what is left of limits, and uploads.
/// </summary>
internal static class RepositoryLook
{
    /// <summary>Runs the step.</summary>
    /// <param name="visit">The run.</param>
    /// <param name="repository">A valid name.</param>
    /// <param name="authorization">The user's credentials.</param>
    /// <param name="granted">
    /// The actions that the user's token grants here; <see langword="null"/> if that is unknown.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static async Task LookAsync(
        ClientVisit visit, string repository, string authorization, List<string>? granted,
        CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        using var tags = await visit.SendAsync(
            HttpMethod.Get, visit.At($"/v2/{repository}/tags/list"), authorization, cancellationToken);
        var body = await ClientVisit.ReadAsync(tags.Content, cancellationToken);
        InspectLimit(visit, tags);
        if (granted is not null && !granted.Contains("pull"))
        {
            var actions = granted.Count == 0 ? "nothing" : string.Join(", ", granted);
            var refusal = tags.IsSuccessStatusCode ? "" : $"; {(int)tags.StatusCode}: {visit.MessageOf(body)}";
            diagnosis.Error(
                "TKN005", $"{question.User} on {repository}",
                $"asked for pull, push and delete, granted {actions}{refusal}");
            return;
        }

        switch (tags.StatusCode)
        {
            case HttpStatusCode.OK or HttpStatusCode.NotFound:
                diagnosis.Pass(
                    "TKN", $"{question.User} on {repository}",
                    granted is null
                        ? "may read it"
                        : $"may {string.Join(", ", granted)}{(granted.Contains("push") ? "" : ", but not push")}");
                break;
            case HttpStatusCode.TooManyRequests:
                break; // reported
            default:
                diagnosis.Error(
                    "TKN005", $"{question.User} on {repository}", $"{(int)tags.StatusCode}: {visit.MessageOf(body)}");
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
            diagnosis.Inform("UPS009", repository, "not requested", "--upload-probe starts an upload and cancels it");
        }
    }

    private static async Task InspectManifestAsync(
        ClientVisit visit, string repository, string authorization, string tagList, CancellationToken cancellationToken)
    {
        if (FirstTag(tagList) is not { } tag)
        {
            return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, visit.At($"/v2/{repository}/manifests/{tag}"));
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        foreach (var accept in new[]
        {
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.docker.distribution.manifest.v2+json",
        })
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        using var answer = await visit.SendSecretAsync(request, cancellationToken);
        InspectLimit(visit, answer);
        if (!answer.IsSuccessStatusCode)
        {
            return;
        }

        var digest = "sha256:"
            + Convert.ToHexStringLower(SHA256.HashData(await answer.Content.ReadAsByteArrayAsync(cancellationToken)));
        var said = answer.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.First() : "";
        if (said.StartsWith("sha256:", StringComparison.Ordinal) && said != digest)
        {
            visit.Diagnosis.Error(
                "NET012", $"{repository}:{tag}",
                $"the registry names {said}, but the content that arrives is {digest}");
        }
    }

    private static void InspectLimit(ClientVisit visit, HttpResponseMessage answer)
    {
        if (visit.Diagnosis.Has("LIM010", Severity.Information))
        {
            return;
        }

        int? Number(string name) => answer.Headers.TryGetValues(name, out var values)
            && int.TryParse(
                values.First().Split(';')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                    ? number
                    : null;
        var (limit, left) = (Number("ratelimit-limit"), Number("ratelimit-remaining"));
        if (answer.StatusCode == HttpStatusCode.TooManyRequests)
        {
            visit.Diagnosis.Error(
                "LIM010", visit.Question.Name,
                $"429{(answer.Headers.RetryAfter is { } wait ? $"; Retry-After: {wait} s" : "")}");
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

    private static async Task ProbeUploadAsync(
        ClientVisit visit, string repository, string authorization, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        using var begun = await visit.SendAsync(
            HttpMethod.Post, visit.At($"/v2/{repository}/blobs/uploads/"), authorization, cancellationToken);
        if (begun.StatusCode != HttpStatusCode.Accepted || begun.Headers.Location is not { } location)
        {
            diagnosis.Error(
                begun.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized ? "TKN005" : "UPL004",
                repository,
                $"an upload is answered {(int)begun.StatusCode}: "
                    + $"{visit.MessageOf(await ClientVisit.ReadAsync(begun.Content, cancellationToken))}");
            return;
        }

        if (!TryResolve(question.Url, location, out var target))
        {
            diagnosis.Error("UPL003", repository, $"an upload's Location is not an address: {location.OriginalString}");
            return;
        }

        if (!IsAtRegistry(question, target))
        {
            diagnosis.Error(
                "UPL003", repository, $"an upload's Location leads to {target.GetLeftPart(UriPartial.Authority)}, but "
                    + $"clients use {question.Url.GetLeftPart(UriPartial.Authority)}");
            target = new Uri(question.Url, target.PathAndQuery);
        }
        else
        {
            await diagnosis.AttemptAsync(
                "UPL", repository,
                async () => target = await SendChunksAsync(visit, repository, authorization, target, cancellationToken),
                cancellationToken);
        }

        using var ended = await visit.SendAsync(HttpMethod.Delete, target, authorization, cancellationToken);
        if (!diagnosis.Has("UPL")
            && !diagnosis.Findings.Any(
                finding => finding.Severity == Severity.NotRun && finding.Subject == repository && finding.Id == "UPL"))
        {
            diagnosis.Pass("UPL", repository, ended.IsSuccessStatusCode
                ? "an upload starts, accepts chunks and can be cancelled"
                : string.Create(CultureInfo.InvariantCulture,
                    $"an upload starts and accepts chunks (the request to cancel it is answered "
                        + $"{(int)ended.StatusCode}; it expires by itself)"));
        }
    }

    private static async Task<Uri> SendChunksAsync(
        ClientVisit visit, string repository, string authorization, Uri target, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        foreach (var size in new[] { 1024, 64 * 1024, 1536 * 1024 })
        {
            using var request = new HttpRequestMessage(HttpMethod.Patch, target)
            {
                Content = new ByteArrayContent(new byte[size]),
            };
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
            request.Content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue(
                "application/octet-stream");
            using var answer = await visit.SendSecretAsync(request, cancellationToken);
            if (answer.StatusCode != HttpStatusCode.Accepted || answer.Headers.Location is not { } location
                || !TryResolve(target, location, out var next))
            {
                var body = await ClientVisit.ReadAsync(answer.Content, cancellationToken);
                diagnosis.Error(
                    answer.StatusCode == HttpStatusCode.RequestEntityTooLarge ? "UPL001" : "UPL004", repository,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"a chunk of {size / 1024} KiB is answered {(int)answer.StatusCode}: {visit.MessageOf(body)}"));
                break;
            }

            if (!IsAtRegistry(question, next))
            {
                diagnosis.Error(
                    "UPL003", repository, "the Location after a chunk leads to "
                        + $"{next.GetLeftPart(UriPartial.Authority)}, but clients use "
                        + $"{question.Url.GetLeftPart(UriPartial.Authority)}");
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

    private static string? FirstTag(string tagList)
    {
        try
        {
            using var document = JsonDocument.Parse(tagList);
            return document.RootElement.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Array
                ? tags.EnumerateArray()
                    .Where(static one => one.ValueKind == JsonValueKind.String)
                    .Select(static one => one.GetString()!).FirstOrDefault(static one => Tag.TryParse(one, out _))
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
