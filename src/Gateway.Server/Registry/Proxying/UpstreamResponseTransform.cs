using System.Collections.Frozen;
using System.Net;
using System.Net.Http.Headers;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Uploads;
using Gateway.Server.Requests.Pipeline;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Server.Registry.Proxying;

/// <summary>Takes from an upstream's answer what clients need, in terms of the public URL, and nothing else.</summary>
internal sealed class UpstreamResponseTransform(
    UpstreamAuthorization authorization, UpstreamRedirects redirects, UploadContinuation uploads, TimeProvider time)
    : ResponseTransform
{
    // Not here: challenges, Access-Control-*, Server, Set-Cookie, and the version header, which the gateway sets
    // itself.
    private static readonly FrozenSet<string> Relayed = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Accept-Ranges", "Age", "Allow", "Content-Disposition", "Content-Encoding", "Content-Length", "Content-Range",
        "Content-Type", "Docker-Content-Digest", "Docker-Upload-UUID", "ETag", "Expires", "Last-Modified",
        "OCI-Chunk-Min-Length", "OCI-Filters-Applied", "OCI-Namespace", "OCI-Subject", "OCI-Tag", "Range",
        "Retry-After", "Vary", "Warning");

    public override async ValueTask ApplyAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } answer)
        {
            return; // no answer came: ForwardingMiddleware writes the error
        }

        // The upstream's own words after the status reach a client's terminal.
        context.HttpContext.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = null;
        var gateway = GatewayContext.Of(context.HttpContext);
        gateway.AnsweredAt = time.GetTimestamp();
        var observer = context.HttpContext.Features.Get<IUpstreamAnswerObserver>();
        var isRefused =
            Refusal(gateway, answer) is { } error || !TryRelay(context.HttpContext, gateway, answer, out error);
        if (observer is not null)
        {
            await observer.AnsweredAsync(context, !isRefused);
        }

        if (isRefused)
        {
            context.SuppressResponseBody = true;
            await context.HttpContext.WriteErrorAsync(error);
        }
        else if (gateway.Request.Method == RegistryMethod.Get && !context.SuppressResponseBody)
        {
            context.SuppressResponseBody = true; // the forwarder has nothing left to do
            await DownloadRelay.CopyAsync(
                context.HttpContext, answer, PatienceOf(context.HttpContext), context.CancellationToken);
        }
    }

    private static TimeSpan PatienceOf(HttpContext context) =>
        context.Features.GetRequiredFeature<IReverseProxyFeature>().Cluster.Config.HttpRequest!.ActivityTimeout!.Value;

    private RegistryError? Refusal(GatewayContext gateway, HttpResponseMessage answer) => answer.StatusCode switch
    {
        // The client did nothing wrong, and an upstream's challenge would have it send its password elsewhere.
        var status when UpstreamAuthorization.IsRefusal(status) => authorization.Refused(gateway.Registry!, status),
        // Its body would show paths of the storage behind the registry.
        >= HttpStatusCode.InternalServerError => UpstreamErrors.Failed((int)answer.StatusCode),
        // Distribution announces the blob's own length with these (2.8.2 with a 416, 2.8 and 3 with a 412), sends a
        // sentence or nothing, and hangs up: the client would see a broken answer.
        HttpStatusCode.RequestedRangeNotSatisfiable when gateway.Request.Operation == RegistryOperation.ReadBlob =>
            UpstreamErrors.RangeNotSatisfiable(answer.Content.Headers.ContentRange?.Length),
        HttpStatusCode.PreconditionFailed when gateway.Request.Operation == RegistryOperation.ReadBlob =>
            UpstreamErrors.PreconditionFailed,
        < HttpStatusCode.OK => UpstreamErrors.Nonsense($"status {(int)answer.StatusCode}"),
        // The rest of the body went nowhere (UpstreamConnection): a client that is told of a success would never send
        // it again.
        < HttpStatusCode.BadRequest when BodyExchange.Current is { IsOver: true } =>
            UpstreamErrors.Nonsense($"status {(int)answer.StatusCode} before it had the whole body"),
        _ => null,
    };

    private bool TryRelay(
        HttpContext context, GatewayContext gateway, HttpResponseMessage answer, out RegistryError error)
    {
        error = UpstreamErrors.Nonsense("its Location header names no upload, blob or manifest of this repository");
        var headers = context.Response.Headers;
        RelayHeaders(gateway, answer, headers);
        if (!answer.Headers.NonValidated.TryGetValues("Location", out var locations))
        {
            return (int)answer.StatusCode is not (>= 300 and < 400) || answer.StatusCode == HttpStatusCode.NotModified;
        }

        var location = locations.ToString();
        if ((int)answer.StatusCode is >= 300 and < 400)
        {
            switch (redirects.Judge(gateway.Registry!, location, out var target))
            {
                // The gateway never follows it, and clients drop their credentials when the host changes. Its query is
                // signed.
                case RedirectVerdict.Elsewhere when IsDownload(gateway.Request.Operation):
                    headers.Location = location;
                    return true;
                case RedirectVerdict.NotAllowed when IsDownload(gateway.Request.Operation):
                    error = redirects.Refused(gateway.Registry!, target!);
                    return false;
                case RedirectVerdict.Ambiguous:
                    error = UpstreamErrors.Nonsense("its Location header is not a URL that all clients read alike");
                    return false;
                case RedirectVerdict.Elsewhere or RedirectVerdict.NotAllowed:
                    return false;
            }
        }

        if (PublicLocation(gateway, location) is not { } own)
        {
            return false;
        }

        headers.Location = own;
        return true;
    }

    /// <summary>Puts the headers of an answer that clients may see; all but its <c>Location</c>.</summary>
    public static void RelayHeaders(GatewayContext gateway, HttpResponseMessage answer, IHeaderDictionary headers)
    {
        Relay(answer.Headers.NonValidated, headers);
        Relay(answer.Content.Headers.NonValidated, headers);

        if (answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.ResetContent)
        {
            headers.ContentLength = null; // these have no body (RFC 9110, section 8.6), whatever length is promised
        }

        if (answer.Headers.NonValidated.TryGetValues("Cache-Control", out var caching))
        {
            // Distribution marks blobs as cacheable for a year; a shared cache would serve them past every policy.
            headers.CacheControl = "private, "
                + string.Join(
                    ", ",
                    caching.Select(static v => v.Replace("public", "private", StringComparison.OrdinalIgnoreCase)));
        }

        if (answer.Headers.NonValidated.TryGetValues("Link", out var links)
            && LinkTo(gateway, links.ToString()) is { } link)
        {
            headers.Link = link;
        }
    }

    private static void Relay(HttpHeadersNonValidated from, IHeaderDictionary to)
    {
        foreach (var (name, values) in from)
        {
            if (Relayed.Contains(name))
            {
                to.Append(name, values.Count == 1 ? values.ToString() : values.ToArray());
            }
        }
    }

    // Every Location that does not lead elsewhere must lead into this repository, through here.
    private string? PublicLocation(GatewayContext gateway, string location) =>
        RegistryLocation.TryParse(location, out var parsed)
        && gateway.Registry!.TryToPublic(parsed.Repository.Value, out var repository)
        && repository == gateway.Request.Repository
        && (parsed.Upload is null || IsOnUploads(gateway.Request.Operation))
            ? gateway.Host.Origin + (parsed.Upload is null
                ? parsed.ToPathAndQuery(repository)
                : uploads.LocationOf(gateway, repository, parsed))
            : null;

    private static bool IsDownload(RegistryOperation operation) =>
        operation is RegistryOperation.ReadBlob or RegistryOperation.ReadManifest;

    private static bool IsOnUploads(RegistryOperation operation) => operation
        is RegistryOperation.StartUpload or RegistryOperation.ReadUpload or RegistryOperation.AppendUpload
        or RegistryOperation.CompleteUpload or RegistryOperation.CancelUpload;

    private static string? LinkTo(GatewayContext gateway, string link)
    {
        if (!RegistryLink.TryParse(link, out var next))
        {
            return null;
        }

        var request = gateway.Request with
        {
            Parameters = gateway.Request.Parameters with { PageSize = next.PageSize, Last = next.Last },
        };
        return $"<{RegistryTarget.Build(request)}>; rel=\"next\"";
    }
}
