using System.Collections.Concurrent;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Routing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Server.Registry.Proxying;

/// <summary>
/// The forwarder's model of each cluster, as an operation needs it: with the patience for blobs, and with connections
/// for requests that send no body.
/// </summary>
internal sealed class ClusterModels(IReadOnlyList<RegistryOptions> registries, IForwarderHttpClientFactory readers)
{
    private readonly Dictionary<string, TimeSpan> _blobPatience =
        registries.ToDictionary(static registry => registry.Name, static registry => registry.BlobActivityTimeout);

    // For each registry the four that there are; made with the first request.
    private readonly ConcurrentDictionary<ClusterModel, Variants> _variants = new();

    /// <summary>The same cluster for an operation.</summary>
    public ClusterModel For(ClusterModel model, RegistryOperation operation)
    {
        var variants = _variants.GetOrAdd(model, static (one, models) => models.Derive(one), this);
        var sendsBody = UpstreamRequestTransform.SendsBody(operation);
        return operation switch
        {
            RegistryOperation.ReadBlob => variants.ReadingBlobs,
            RegistryOperation.AppendUpload or RegistryOperation.CompleteUpload => variants.SendingBlobs,
            _ => sendsBody ? model : variants.Reading,
        };
    }

    private Variants Derive(ClusterModel model)
    {
        var reader = readers.CreateClient(new ForwarderHttpClientContext
        {
            ClusterId = model.Config.ClusterId,
            NewConfig = model.Config.HttpClient ?? HttpClientConfig.Empty,
        });
        var forBlobs = model.Config with
        {
            HttpRequest = model.Config.HttpRequest! with { ActivityTimeout = _blobPatience[model.Config.ClusterId] },
        };
        return new Variants(
            Reading: new ClusterModel(model.Config, reader),
            ReadingBlobs: new ClusterModel(forBlobs, reader),
            SendingBlobs: new ClusterModel(forBlobs, model.HttpClient));
    }

    private sealed record Variants(ClusterModel Reading, ClusterModel ReadingBlobs, ClusterModel SendingBlobs);
}
