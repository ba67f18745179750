using System.Net;
using System.Net.Http.Headers;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Yarp.ReverseProxy;

namespace Gateway.Server.Registry.Proxying;

/// <summary>Asks an upstream the gateway's own questions: catalog pages, tag lists, does this tag exist.</summary>
internal sealed class UpstreamClient(
    IProxyStateLookup clusters, UpstreamAuthorization authorization, TimeProvider time)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    // A manifest without a matching Accept is "unknown" to Distribution, even where its tag exists.
    private const string ManifestTypes =
        "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
        + "application/vnd.docker.distribution.manifest.list.v2+json, "
        + "application/vnd.docker.distribution.manifest.v2+json, "
        + "application/vnd.docker.distribution.manifest.v1+prettyjws, "
        + "application/vnd.docker.distribution.manifest.v1+json, */*";

    /// <summary>
    /// Sends a request built from parsed values. The answer's headers have arrived; its body is the caller's to read.
    /// </summary>
    /// <param name="registry">The registry; one of its available upstreams is asked.</param>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="target">Path and query, from <see cref="RegistryTarget"/>.</param>
    /// <param name="repository">
    /// The repository it reads, by its public name; <see langword="null"/> for the catalog.
    /// </param>
    /// <param name="cancellationToken">The client's leaving.</param>
    /// <exception cref="UpstreamException">No upstream answered in time, or it refused the gateway itself.</exception>
    public Task<UpstreamAnswer> SendAsync(
        UpstreamRegistry registry,
        HttpMethod method,
        string target,
        RepositoryName? repository,
        CancellationToken cancellationToken) =>
        SendAsync(
            registry,
            method,
            target,
            headers =>
            {
                headers.TryAddWithoutValidation("Accept", ManifestTypes);
                if (authorization.ForQuestion(registry, repository) is { } own)
                {
                    headers.TryAddWithoutValidation("Authorization", own);
                }
            },
            cancellationToken);

    /// <param name="registry">The registry; one of its available upstreams is asked.</param>
    /// <param name="method">GET or HEAD.</param>
    /// <param name="target">Path and query, from <see cref="RegistryTarget"/>.</param>
    /// <param name="prepare">Puts the headers, the gateway's credential among them.</param>
    /// <param name="cancellationToken">The client's leaving.</param>
    /// <inheritdoc cref="SendAsync(UpstreamRegistry, HttpMethod, string, RepositoryName?, CancellationToken)"/>
    public async Task<UpstreamAnswer> SendAsync(
        UpstreamRegistry registry,
        HttpMethod method,
        string target,
        Action<HttpRequestHeaders> prepare,
        CancellationToken cancellationToken)
    {
        if (!clusters.TryGetCluster(registry.Name, out var cluster)
            || cluster.DestinationsState.AvailableDestinations is not { Count: > 0 } destinations)
        {
            throw new UpstreamException(UpstreamErrors.NoneAvailable);
        }

        var destination = destinations[Random.Shared.Next(destinations.Count)];
        using var request = new HttpRequestMessage(method, destination.Model.Config.Address.TrimEnd('/') + target)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        prepare(request.Headers);
        var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var timer = time.CreateTimer(
            static state => ((CancellationTokenSource)state!).Cancel(), deadline, Timeout,
            System.Threading.Timeout.InfiniteTimeSpan);
        try
        {
            var response = await cluster.Model.HttpClient.SendAsync(request, deadline.Token);
            if (UpstreamAuthorization.IsRefusal(response.StatusCode))
            {
                var status = response.StatusCode;
                response.Dispose();
                throw new UpstreamException(authorization.Refused(registry, status));
            }

            return new UpstreamAnswer(response, deadline, timer);
        }
        catch (Exception exception)
        {
            await timer.DisposeAsync();
            deadline.Dispose();
            throw exception switch
            {
                OperationCanceledException when !cancellationToken.IsCancellationRequested =>
                    new UpstreamException(UpstreamErrors.TimedOut, exception),
                HttpRequestException => new UpstreamException(UpstreamErrors.Unreachable, exception),
                _ => exception,
            };
        }
    }
}
