using Gateway.Core.Registry;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Pipeline;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Server.Registry.Contents;

/// <summary>
/// Takes what the leader of a flight is answered: reads it whole, verifies it, keeps it, and writes it to the client.
/// </summary>
internal sealed class ContentFill(
    ContentFlight flight, ContentStore store, ContentCacheOptions options, ContentFigures figures, ContentAlarm alarm,
    TimeProvider time)
    : IUpstreamAnswerObserver
{
    /// <summary>
    /// What is answered instead of bytes that do not have the digest that was asked for: no client could use them, and
    /// this says whose fault it is.
    /// </summary>
    public static readonly RegistryError Corrupt = UpstreamErrors.Nonsense(
        "the content does not have the digest that was asked for; its storage may be damaged");

    private readonly RegistryFigures _figures = figures.Of(flight.Key.Registry);

    /// <inheritdoc/>
    public async ValueTask AnsweredAsync(ResponseTransformContext context, bool isRelayed)
    {
        var answer = context.ProxyResponse!;
        var gateway = GatewayContext.Of(context.HttpContext);
        IHeaderDictionary relayed = new HeaderDictionary();
        var digest = "";
        var outcome = ContentOutcome.Status;
        if (isRelayed)
        {
            // As they are of the upstream: those of the response itself already have the limits', for one caller.
            UpstreamResponseTransform.RelayHeaders(gateway, answer, relayed);
            outcome = ContentJudge.Judge(flight.Key, answer, relayed, options, out digest);
        }

        var length = outcome == ContentOutcome.Stored ? (int)answer.Content.Headers.ContentLength!.Value : 0;
        if (outcome == ContentOutcome.Stored && !store.TryReserve(flight, length))
        {
            outcome = flight.IsDoomed ? ContentOutcome.Dropped : ContentOutcome.NoRoom;
        }

        if (outcome != ContentOutcome.Stored)
        {
            Refuse(gateway, outcome, isRead: false);
            return; // the forwarder goes on as ever
        }

        var body = GC.AllocateUninitializedArray<byte>(length);
        await ReadAsync(context, answer, body);
        context.SuppressResponseBody = true;
        outcome = ContentJudge.Judge(flight.Key, relayed.ContentType, digest, body);
        if (outcome == ContentOutcome.Stored && !store.TryAdd(flight, Make(relayed, digest, body)))
        {
            outcome = ContentOutcome.Dropped;
        }

        if (outcome != ContentOutcome.Stored)
        {
            Refuse(gateway, outcome, isRead: true);
        }
        else
        {
            _figures.Count(outcome);
        }

        if (IsCorrupt(outcome))
        {
            await context.HttpContext.WriteErrorAsync(Corrupt);
            return;
        }

        await DownloadRelay.WriteAsync(context.HttpContext, body, ContentMiddleware.Patience, time);
    }

    // One that breaks off is answered 502 (ForwardingMiddleware): nothing has been sent yet.
    private static async Task ReadAsync(ResponseTransformContext context, HttpResponseMessage answer, byte[] body)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(context.CancellationToken);
        await stream.ReadExactlyAsync(body, context.CancellationToken);
    }

    private CachedContent Make(IHeaderDictionary relayed, string digest, byte[] body)
    {
        relayed.ContentLength = null; // the body tells
        return new CachedContent
        {
            Key = flight.Key,
            UpstreamRepository = flight.UpstreamRepository,
            Digest = digest,
            Headers = [.. relayed.Select(static header => KeyValuePair.Create(header.Key, header.Value))],
            Body = body,
            CheckedAt = flight.StartedAt,
        };
    }

    // Of a tag nobody asked for this digest, and a client may go by the bytes alone.
    private bool IsCorrupt(ContentOutcome outcome) =>
        outcome == ContentOutcome.Digest && flight.Key.Kind != ContentKind.Tag;

    private void Refuse(GatewayContext gateway, ContentOutcome outcome, bool isRead)
    {
        _figures.Count(outcome);
        if (isRead && outcome is ContentOutcome.Digest or ContentOutcome.Type)
        {
            alarm.Report(gateway.RequestId, flight.Key, outcome);
        }

        store.End(
            flight,
            outcome switch
            {
                ContentOutcome.Dropped => FlightResult.Again,
                _ when isRead && IsCorrupt(outcome) => FlightResult.Corrupt,
                _ => FlightResult.Unfit,
            },
            // Not what is not found now, which may be pushed in a moment.
            isLasting: outcome is ContentOutcome.TooLarge or ContentOutcome.Headers or ContentOutcome.Type);
    }
}
