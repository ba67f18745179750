using Gateway.Core.Registry;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// Last step of a registry request: chooses the cluster, lifts the limits that blobs need, answers failures.
/// </summary>
internal sealed partial class ForwardingMiddleware(
    RequestDelegate next,
    IProxyStateLookup clusters,
    ClusterModels models,
    TimeProvider time,
    ILogger<ForwardingMiddleware> logger)
{
    // Distribution's own limit for manifests.
    private const long LargestManifest = 4 * 1024 * 1024;

    public async Task InvokeAsync(HttpContext context)
    {
        var gateway = GatewayContext.Of(context);
        var registry = gateway.Registry!;
        if (UpstreamRequestTransform.FindUnsendable(context.Request.Headers) is { } name)
        {
            await context.WriteErrorAsync(RegistryError.BadRequest(
                $"the header {name} contains a control character or a character outside ASCII; remove it"));
            return;
        }

        if (!SetBodyLimits(context, gateway.Request.Operation))
        {
            await context.WriteErrorAsync(TooLarge);
            return;
        }

        Choose(context, registry, gateway.Request.Operation);
        if (UpstreamRequestTransform.SendsBody(gateway.Request.Operation))
        {
            BodyExchange.Begin();
        }
        else
        {
            // The forwarder asks this, and takes no other body in place of the client's.
            context.Features.Set<IHttpRequestBodyDetectionFeature>(NoRequestBody.Instance);
        }

        gateway.ForwardedAt = time.GetTimestamp();
        await next(context);
        if (context.Features.Get<IForwarderErrorFeature>() is { } failure
            && !context.RequestAborted.IsCancellationRequested)
        {
            Log.Failed(
                logger, gateway.RequestId, registry.Name, failure.Error, LogText.OneLine(failure.Exception?.Message));
            await AnswerFailureAsync(context, failure);
        }
    }

    private static RegistryError TooLarge => new(
        "MANIFEST_INVALID", StatusCodes.Status413PayloadTooLarge, "the manifest is larger than 4 MiB");

    // A blob may be of any size and take hours on a slow line; every other body keeps the server's limits.
    private static bool SetBodyLimits(HttpContext context, RegistryOperation operation)
    {
        var size = context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>();
        switch (operation)
        {
            case RegistryOperation.AppendUpload or RegistryOperation.CompleteUpload:
                size.MaxRequestBodySize = null;
                if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
                {
                    rate.MinDataRate = null;
                }

                return true;
            case RegistryOperation.PutManifest:
                size.MaxRequestBodySize = LargestManifest;
                return context.Request.ContentLength is not > LargestManifest;
            default:
                return true;
        }
    }

    private void Choose(HttpContext context, UpstreamRegistry registry, RegistryOperation operation)
    {
        if (!clusters.TryGetRoute(registry.Name, out var route) || route.Cluster is not { } cluster)
        {
            throw new InvalidOperationException($"no cluster is configured for the registry {registry.Name}");
        }

        context.Features.Set<IReverseProxyFeature>(new ReverseProxyFeature
        {
            Route = route,
            Cluster = models.For(cluster.Model, operation),
            AllDestinations = cluster.DestinationsState.AllDestinations,
            AvailableDestinations = cluster.DestinationsState.AvailableDestinations,
        });
    }

    private static Task AnswerFailureAsync(HttpContext context, IForwarderErrorFeature failure)
    {
        if (context.Response.HasStarted)
        {
            return Task.CompletedTask; // the connection is cut: a broken body must not look complete
        }

        if (BodyFault(failure.Exception) is { StatusCode: StatusCodes.Status413PayloadTooLarge })
        {
            return context.WriteErrorAsync(TooLarge);
        }

        if (failure.Error == ForwarderError.RequestBodyClient || BodyFault(failure.Exception) is not null)
        {
            context.CloseAfterwards();
        }

        var error = failure.Error switch
        {
            ForwarderError.NoAvailableDestinations => UpstreamErrors.NoneAvailable,
            ForwarderError.RequestTimedOut or ForwarderError.RequestCanceled => UpstreamErrors.TimedOut,
            ForwarderError.RequestBodyClient => RegistryError.BadRequest(
                "the request body was cut off or is malformed"),
            _ => UpstreamErrors.Unreachable,
        };
        if (error.StatusCode >= StatusCodes.Status502BadGateway)
        {
            context.Response.Headers.RetryAfter = "5";
        }

        return context.WriteErrorAsync(error);
    }

    // YARP wraps what reading the client's body threw together with what the upstream's connection made of it.
    private static BadHttpRequestException? BodyFault(Exception? exception) => exception switch
    {
        BadHttpRequestException fault => fault,
        AggregateException several =>
            several.InnerExceptions.Select(BodyFault).FirstOrDefault(static f => f is not null),
        { InnerException: { } inner } => BodyFault(inner),
        _ => null,
    };

    private static partial class Log
    {
        [LoggerMessage(1403, LogLevel.Warning,
            "Request {RequestId} to registry {Registry} failed: {Error}. {Cause} "
            + "Health checks decide whether the upstream stays in use.")]
        public static partial void Failed(
            ILogger logger, string requestId, string registry, ForwarderError error, string cause);
    }
}
