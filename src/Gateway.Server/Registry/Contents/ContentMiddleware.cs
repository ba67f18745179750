using System.Buffers;
using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Pipeline;
using Microsoft.Extensions.Primitives;

namespace Gateway.Server.Registry.Contents;

/// <summary>
/// Between the decision and the forwarder: answers manifests and small blobs from memory, has one request serve all who
/// ask for the same, and has what is deleted forgotten. Authorization, limits and the record of the request come
/// before it.
/// </summary>
internal sealed class ContentMiddleware(
    RequestDelegate next,
    ContentStore store,
    ContentFeed feed,
    TagQuestions tags,
    ContentCacheOptions options,
    ContentFigures figures,
    ContentAlarm alarm,
    TimeProvider time)
{
    /// <summary>
    /// How long a client may be silent that is sent what is in memory: the default of the forwarder's.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    // Longer than any client that all others send. Beyond it, one caller could fill the memory with keys.
    private const int LongestHeaders = 2_048;

    // A leader may be slow for reasons of its own: its upstream, of several, or its body.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    // What the forwarder would refuse (UpstreamRequestTransform.FindUnsendable) is left to it.
    private static readonly SearchValues<char> Printable =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(static c => (char)c), '\t']);

    private static readonly RegistryError NotAnnounced = RegistryError.Unavailable(
        StatusCodes.Status503ServiceUnavailable,
        "the gateway cannot tell its other replicas, which may have this content in memory, that it is deleted; "
        + "nothing was deleted; try again shortly");

    public Task InvokeAsync(HttpContext context)
    {
        var gateway = GatewayContext.Of(context);
        switch (gateway.Request.Operation)
        {
            case RegistryOperation.ReadManifest or RegistryOperation.ReadBlob
                when gateway.Registry!.CachesContent && gateway.Request.Parameters == RegistryParameters.None
                    && !IsQuestionBeforePush(gateway.Request) && IsEligible(context.Request):
                var key = ContentKey.Of(gateway, context.Request.Headers);
                var isCurrent = feed.EnsureCurrentAsync(context.RequestAborted);
                return isCurrent is { IsCompletedSuccessfully: true, Result: true } && key.Kind != ContentKind.Tag
                    && store.TryFind(key, out var content)
                        ? WriteAsync(context, gateway, content, ContentResult.Hit)
                        : ReadAsync(context, gateway, key, isCurrent);
            case RegistryOperation.DeleteManifest or RegistryOperation.DeleteBlob or RegistryOperation.PutManifest
                when ContentChange.Of(gateway.Request, gateway.Registry!.ToUpstream(gateway.Request.Repository!))
                    is { } change:
                return ChangeAsync(context, change);
            default:
                return next(context);
        }
    }

    // What asks for less than the whole, or for an answer of the registry's own, is none of ours.
    private static bool IsEligible(HttpRequest request)
    {
        var headers = request.Headers;
        return headers.Range.Count == 0 && headers.IfNoneMatch.Count == 0 && headers.IfModifiedSince.Count == 0
            && headers.IfMatch.Count == 0 && headers.IfUnmodifiedSince.Count == 0 && headers.IfRange.Count == 0
            && headers.CacheControl.Count == 0 && headers.Pragma.Count == 0
            && headers.ContentLength is null && headers.TransferEncoding.Count == 0
            && headers.ContentType.Count == 0 && headers.ContentRange.Count == 0 && headers.Expect.Count == 0
            && LengthOf(headers.Accept) + LengthOf(headers.AcceptEncoding) <= LongestHeaders
            && headers.UserAgent.Count <= 1
            && !((string?)headers.UserAgent).AsSpan().ContainsAnyExcept(Printable);
    }

    // Clients that push ask for each blob by HEAD, and leave out those that are there: one that the registry's own
    // garbage collection has just removed would be missing in what is pushed.
    private static bool IsQuestionBeforePush(RegistryRequest request) =>
        request is { Operation: RegistryOperation.ReadBlob, Method: RegistryMethod.Head };

    private static int LengthOf(StringValues values)
    {
        var length = 0;
        foreach (var value in values)
        {
            length += value?.Length ?? 0;
        }

        return length;
    }

    private async Task ReadAsync(
        HttpContext context, GatewayContext gateway, ContentKey key, ValueTask<bool> isCurrent)
    {
        if (!await isCurrent)
        {
            await ForwardAsync(context, key, ContentResult.Bypass);
            return;
        }

        var startedAt = time.GetTimestamp();
        var isGet = HttpMethods.IsGet(context.Request.Method);
        var hasWaited = false;
        string? named = null; // what the tag was said to name after this request came
        while (true)
        {
            var isUnfit = store.IsUnfit(key);
            CachedContent? content = null;
            if (!isUnfit && store.TryFind(key, out content))
            {
                (var result, named) = await JudgeAsync(context, gateway, content, isGet);
                if (result is { } answered)
                {
                    await WriteAsync(context, gateway, content, answered);
                    return;
                }
            }

            // What was there after the wait, and is not what the tag names now, changes faster than it can be kept.
            var left = LongestWait - time.GetElapsedTime(startedAt);
            if (!isGet || isUnfit || left <= TimeSpan.Zero || (hasWaited && key.Kind == ContentKind.Tag))
            {
                await ForwardAsync(context, key, ContentResult.Miss);
                return;
            }

            var flight = store.Join(
                key, gateway.Registry!.ToUpstream(gateway.Request.Repository!).Value, content, out var leads);
            if (leads)
            {
                await LeadAsync(context, flight);
                return;
            }

            if (await WaitAsync(flight, left, context.RequestAborted) is not { } end)
            {
                store.GiveUp(flight); // its upstream may hang for long, and another one may not
                continue;
            }

            switch (end.Result)
            {
                case FlightResult.Stored when key.Kind != ContentKind.Tag || store.IsBelieved(end.Content!)
                    || end.Content!.Digest == named:
                    await WriteAsync(context, gateway, end.Content!, ContentResult.Shared);
                    return;
                case FlightResult.Corrupt:
                    figures.Count(key, ContentResult.Miss);
                    await context.WriteErrorAsync(ContentFill.Corrupt);
                    return;
                case FlightResult.Unfit:
                    await ForwardAsync(context, key, ContentResult.Miss);
                    return;
                case FlightResult.Stored:
                    hasWaited = true; // a tag is asked about: its leader may have asked before this caller came
                    break;
                default:
                    break;
            }
        }
    }

    private async ValueTask<(ContentResult? Result, string? Named)> JudgeAsync(
        HttpContext context, GatewayContext gateway, CachedContent content, bool isGet)
    {
        if (content.Key.Kind != ContentKind.Tag || store.IsBelieved(content))
        {
            return (ContentResult.Hit, null);
        }

        if (!isGet)
        {
            return (null, null); // a HEAD of a tag is the question that would be asked
        }

        var check = await tags.AskAsync(context, gateway, content.Key);
        if (check.Digest == content.Digest)
        {
            content.CheckedAt = Math.Max(content.CheckedAt, check.AskedAt);
            return (ContentResult.Checked, check.Digest);
        }

        if (check.Digest is "")
        {
            store.SetUnfit(content.Key);
        }

        return (null, check.Digest);
    }

    private async Task<FlightEnd?> WaitAsync(ContentFlight flight, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            return await flight.Ended.WaitAsync(limit, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    private async Task LeadAsync(HttpContext context, ContentFlight flight)
    {
        context.Features.Set<IUpstreamAnswerObserver>(new ContentFill(
            flight, store, options, figures, alarm, time));
        try
        {
            await ForwardAsync(context, flight.Key, ContentResult.Miss);
        }
        finally
        {
            // No answer came, or it broke off. Where that is the client's doing, another one leads.
            if (store.End(
                flight,
                context.RequestAborted.IsCancellationRequested ? FlightResult.Again : FlightResult.Unfit))
            {
                figures.Of(flight.Key.Registry).Count(ContentOutcome.Failed);
            }
        }
    }

    private Task ForwardAsync(HttpContext context, in ContentKey key, ContentResult result)
    {
        figures.Count(key, result);
        return next(context);
    }

    private Task WriteAsync(HttpContext context, GatewayContext gateway, CachedContent content, ContentResult result)
    {
        if (gateway.Decision is not { IsAllowed: true })
        {
            // Cannot happen behind the pipeline. If it ever does, this line keeps the content here.
            throw new InvalidOperationException("a request without an allowing decision reached the content cache");
        }

        figures.Count(content.Key, result);
        gateway.IsFromCache = true;
        var response = context.Response;
        foreach (var (name, values) in content.Headers)
        {
            response.Headers.Append(name, values);
        }

        response.ContentLength = content.Body.Length;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return Task.CompletedTask;
        }

        return DownloadRelay.WriteAsync(context, content.Body, Patience, time);
    }

    // Forgotten before and after: what is read meanwhile may be either. A tag is asked about anyway, unless it is
    // believed for a while, and a push must not depend on Redis; so only that is announced afterwards, if it can be.
    private async Task ChangeAsync(HttpContext context, ContentChange change)
    {
        var isDeletion = change.Kind != ContentChangeKind.Tag;
        var before = change with { IsOpen = isDeletion };
        if (isDeletion && !await feed.TryAnnounceAsync(before))
        {
            context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
            await context.WriteErrorAsync(NotAnnounced);
            return;
        }

        store.Forget(before);
        var forgetting = new ContentForgetting(
            change, store, feed, isAnnounced: isDeletion || options.TagMaxAge > TimeSpan.Zero);
        context.Features.Set<IUpstreamAnswerObserver>(forgetting);
        try
        {
            await next(context);
        }
        finally
        {
            // A deletion without an answer stays open: the upstream may still be at it.
            if (!isDeletion)
            {
                await forgetting.FinishAsync();
            }
        }
    }
}
