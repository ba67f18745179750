using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Gateway.Client.Doctor;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Tokens.Service;

namespace Gateway.Doctor;

/// <summary>
/// Finds out where an upstream sends clients for blobs: takes one image of its catalog and requests its configuration,
/// without following. At most seven requests, none of which changes anything.
/// </summary>
/// <param name="client">Follows no redirects.</param>
/// <param name="router">The configured registries.</param>
/// <param name="tokens">For an upstream that verifies tokens; <see langword="null"/>: none can be issued.</param>
internal sealed class RedirectLook(HttpClient client, RegistryRouter router, UpstreamTokens? tokens)
{
    private const int MostRepositories = 3;
    private const string Self = "gateway:doctor";

    private const string ManifestTypes =
        "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
        + "application/vnd.docker.distribution.manifest.list.v2+json, "
        + "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>Checks, and notes what it finds.</summary>
    public async Task InspectAsync(
        UpstreamRegistry registry, Uri upstream, string subject, Diagnosis diagnosis,
        CancellationToken cancellationToken)
    {
        try
        {
            if (await FindLocationAsync(registry, upstream, cancellationToken) is { } location)
            {
                Note(registry, location, subject, diagnosis);
            }
        }
        catch (Exception exception)
            when (exception is HttpRequestException or JsonException or InvalidOperationException
            or UpstreamException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            diagnosis.Inform(
                "UPS011", subject,
                $"the doctor could not find out where it sends clients for blobs: {DoctorText.Of(exception)}");
        }
    }

    private void Note(UpstreamRegistry registry, string location, string subject, Diagnosis diagnosis)
    {
        switch (UpstreamRedirects.Judge(router, registry, location, out var target))
        {
            case RedirectVerdict.Elsewhere:
                diagnosis.Inform("UPS011", subject, $"clients are sent to {target!.Origin} for blobs");
                break;
            case RedirectVerdict.NotAllowed:
                var item = target!.IsEncrypted ? target.Authority : target.Origin;
                diagnosis.Error(
                    "UPS012", subject,
                    $"clients are sent to {target.Origin} for blobs, which redirects.allow does not allow",
                    $"registries[]: {{ redirects: {{ allow: [ \"{item}\" ] }} }}, in addition to the hosts that are "
                        + "allowed already; or turn the registry's redirects off");
                break;
            case RedirectVerdict.Ambiguous:
                diagnosis.Error(
                    "UPS012", subject,
                    "clients are sent for blobs to an address that not all of them interpret in the same way",
                    "Turn the registry's redirects off, or have it send the plain address of its storage");
                break;
        }
    }

    // Where a blob is, or already its manifest; null: it is served here, or there is none to ask for.
    private async Task<string?> FindLocationAsync(
        UpstreamRegistry registry, Uri upstream, CancellationToken cancellationToken)
    {
        var repositories = await ListAsync(
            registry, upstream, null, $"/v2/_catalog?n={MostRepositories}", "repositories", cancellationToken);
        foreach (var repository in repositories.Take(MostRepositories))
        {
            if (RepositoryName.TryParse(repository, out var name)
                && await ListAsync(registry, upstream, name, $"/v2/{name.Value}/tags/list", "tags", cancellationToken)
                    is [{ } first, ..]
                && Tag.TryParse(first, out var tag))
            {
                return await FollowAsync(registry, upstream, name, tag.Value, cancellationToken);
            }
        }

        return null;
    }

    private async Task<string?> FollowAsync(
        UpstreamRegistry registry,
        Uri upstream,
        RepositoryName name,
        string reference,
        CancellationToken cancellationToken)
    {
        for (var depth = 0; depth < 2; depth++)
        {
            using var manifest = await AskAsync(
                registry, upstream, name, $"/v2/{name.Value}/manifests/{reference}", isBlob: false, cancellationToken);
            if (LocationOf(manifest) is { } direct)
            {
                return direct;
            }

            if (!manifest.IsSuccessStatusCode)
            {
                return null;
            }

            using var json = JsonDocument.Parse(await manifest.Content.ReadAsByteArrayAsync(cancellationToken));
            if (DigestIn(json.RootElement, "config") is { } blob)
            {
                using var answer = await AskAsync(
                    registry, upstream, name, $"/v2/{name.Value}/blobs/{blob.Value}", isBlob: true, cancellationToken);
                return LocationOf(answer);
            }

            if (!json.RootElement.TryGetProperty("manifests", out var children) || children.GetArrayLength() == 0
                || DigestIn(children[0]) is not { } child)
            {
                return null;
            }

            reference = child.Value;
        }

        return null;
    }

    private async Task<IReadOnlyList<string>> ListAsync(
        UpstreamRegistry registry,
        Uri upstream,
        RepositoryName? repository,
        string path,
        string property,
        CancellationToken cancellationToken)
    {
        using var answer = await AskAsync(registry, upstream, repository, path, isBlob: false, cancellationToken);
        return answer.StatusCode == HttpStatusCode.OK
            ? JsonStrings.Read(await answer.Content.ReadAsByteArrayAsync(cancellationToken), property)
            : [];
    }

    private async Task<HttpResponseMessage> AskAsync(
        UpstreamRegistry registry,
        Uri upstream,
        RepositoryName? repository,
        string path,
        bool isBlob,
        CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(upstream, path));
        request.Headers.TryAddWithoutValidation("Accept", ManifestTypes);
        request.Headers.Range = isBlob ? new RangeHeaderValue(0, 0) : null;
        var own = registry.ForwardsToken
            ? tokens?.HeaderFor(Self, new UpstreamAccess(repository, RepositoryActions.Pull))
            : registry.Credential;
        if (own is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", own);
        }

        // Only a body that is read under the client's own limits is read at all.
        return await client.SendAsync(
            request,
            isBlob ? HttpCompletionOption.ResponseHeadersRead : HttpCompletionOption.ResponseContentRead,
            cancellationToken);
    }

    private static string? LocationOf(HttpResponseMessage answer) =>
        (int)answer.StatusCode is >= 300 and < 400
        && answer.Headers.NonValidated.TryGetValues("Location", out var values)
            ? values.ToString()
            : null;

    private static Digest? DigestIn(JsonElement element, string? property = null) =>
        element.ValueKind == JsonValueKind.Object
        && (property is null || element.TryGetProperty(property, out element))
        && element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty("digest", out var digest) && Digest.TryParse(digest.GetString(), out var known)
            ? known
            : null;
}
