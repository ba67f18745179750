using System.Buffers;
using System.Collections.Frozen;
using System.Net.Http.Headers;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// Builds the upstream request from the decided <see cref="RegistryRequest"/>, never from the client's bytes.
/// </summary>
internal sealed class UpstreamRequestTransform(UpstreamAuthorization authorization, bool makesTraces) : RequestTransform
{
    // Everything else stays here: credentials, cookies, forwarding and identity headers, hop-by-hop headers and any
    // name that another server might read as one of those (X_Forwarded_For).
    private static readonly FrozenSet<string> Forwarded = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "Accept", "Accept-Encoding", "Cache-Control", "Content-Range", "Content-Type", "Expect", "If-Match",
        "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Range", "User-Agent");

    private static readonly UriCreationOptions Untouched = new()
    {
        DangerousDisablePathAndQueryCanonicalization = true,
    };

    private static readonly SearchValues<char> Printable =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(static c => (char)c), '\t']);

    /// <summary>
    /// The first header that would have to go upstream and cannot: the connection carries ASCII only, and its failure
    /// would look like the upstream's own; a control character would reach the upstream's log.
    /// </summary>
    public static string? FindUnsendable(IHeaderDictionary headers)
    {
        foreach (var (name, values) in headers)
        {
            if (!Forwarded.Contains(name))
            {
                continue;
            }

            foreach (var value in values)
            {
                if (value.AsSpan().ContainsAnyExcept(Printable))
                {
                    return name;
                }
            }
        }

        return null;
    }

    /// <summary>Whether the client's body goes upstream.</summary>
    /// <remarks>
    /// Not that of a POST: the registry takes mount and from out of a form's body too, prefers them to the query, and
    /// uses nothing else of it.
    /// </remarks>
    public static bool SendsBody(RegistryOperation operation) => operation
        is RegistryOperation.PutManifest or RegistryOperation.AppendUpload or RegistryOperation.CompleteUpload;

    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        var gateway = GatewayContext.Of(context.HttpContext);
        if (gateway.Decision is not { IsAllowed: true } || gateway.Registry is not { } registry
            || (gateway.Request.Upload is not null && gateway.Ticket?.IsOf(gateway.Subject) is not true))
        {
            // Cannot happen behind the pipeline. If it ever does, this line keeps it from reaching a registry.
            throw new InvalidOperationException(
                "a request without an allowing decision, or without its upload's ticket, reached the forwarder");
        }

        var request = gateway.Request;
        var outgoing = context.ProxyRequest;
        // RegistryTarget writes nothing that Uri would normalize, but an upload's query is the upstream's own text,
        // which it may have signed.
        outgoing.RequestUri = new Uri(
            context.DestinationPrefix.TrimEnd('/')
            + RegistryTarget.Build(
                request,
                registry.ToUpstream(request.Repository!),
                request.Parameters.From is { } source ? registry.ToUpstream(source) : null),
            Untouched);
        outgoing.Method = MethodOf(request.Method);
        if (SendsBody(request.Operation))
        {
            // The exact length, as sent: Distribution 3 checks Content-Range only beside a Content-Length.
            outgoing.Content?.Headers.ContentLength = context.HttpContext.Request.ContentLength;
        }
        else if (outgoing.Content is not null)
        {
            throw new InvalidOperationException("a body reached the forwarder on a request that has none upstream");
        }

        CopyHeaders(context, request);

        var headers = outgoing.Headers;
        headers.TryAddWithoutValidation("X-Forwarded-Proto", "https");
        headers.TryAddWithoutValidation("X-Forwarded-Host", gateway.Host.Authority);
        headers.TryAddWithoutValidation("X-Forwarded-For", gateway.ClientAddress.ToString());
        headers.TryAddWithoutValidation("X-Request-Id", gateway.RequestId);
        if (!makesTraces)
        {
            CopyTraceContext(context.HttpContext.Request.Headers, headers);
        }

        if (authorization.ForRequest(registry, request, gateway.Subject) is { } own)
        {
            headers.TryAddWithoutValidation("Authorization", own);
        }

        return ValueTask.CompletedTask;
    }

    // Where a trace is made here, the connection writes these itself, with the gateway's own span as the parent.
    private static void CopyTraceContext(IHeaderDictionary from, HttpRequestHeaders to)
    {
        if ((string?)from.TraceParent is { } parent && TraceContext.IsParent(parent))
        {
            to.TryAddWithoutValidation(TraceContext.Parent, parent);
            if ((string?)from.TraceState is { } state && TraceContext.IsState(state))
            {
                to.TryAddWithoutValidation(TraceContext.State, state);
            }
        }
    }

    private static void CopyHeaders(RequestTransformContext context, RegistryRequest request)
    {
        var outgoing = context.ProxyRequest;
        var hasBody = outgoing.Content is not null;
        foreach (var (name, values) in context.HttpContext.Request.Headers)
        {
            if (!Forwarded.Contains(name))
            {
                continue;
            }

            if (name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase))
            {
                if (hasBody && !IsForeignTypeOfAnUpload(name, request.Operation, values))
                {
                    Add(outgoing.Content!.Headers, name, values);
                }
            }
            else if (hasBody || !string.Equals(name, "Expect", StringComparison.OrdinalIgnoreCase))
            {
                Add(outgoing.Headers, name, values);
            }
        }
    }

    // A list only where there are several: it would be an object for each header.
    private static void Add(HttpHeaders headers, string name, StringValues values)
    {
        if (values.Count == 1)
        {
            headers.TryAddWithoutValidation(name, values[0]);
        }
        else
        {
            headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
    }

    // The registry reads digest and its own parameters out of a form's body and prefers them to the query. A blob is
    // bytes, whatever the client calls it; only that one name for bytes goes on.
    private static bool IsForeignTypeOfAnUpload(string name, RegistryOperation operation, string? type) =>
        operation is RegistryOperation.AppendUpload or RegistryOperation.CompleteUpload
        && string.Equals(name, "Content-Type", StringComparison.OrdinalIgnoreCase)
        && !string.Equals(type, "application/octet-stream", StringComparison.OrdinalIgnoreCase);

    private static HttpMethod MethodOf(RegistryMethod method) => method switch
    {
        RegistryMethod.Get => HttpMethod.Get,
        RegistryMethod.Head => HttpMethod.Head,
        RegistryMethod.Post => HttpMethod.Post,
        RegistryMethod.Patch => HttpMethod.Patch,
        RegistryMethod.Put => HttpMethod.Put,
        RegistryMethod.Delete => HttpMethod.Delete,
        _ => throw new ArgumentOutOfRangeException(nameof(method), method, "no such method"),
    };
}
