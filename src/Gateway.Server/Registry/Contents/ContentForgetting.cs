using Gateway.Server.Registry.Proxying;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Server.Registry.Contents;

/// <summary>Has a change forgotten here and by the other replicas before its client learns that it was made.</summary>
internal sealed class ContentForgetting(ContentChange change, ContentStore store, ContentFeed feed, bool isAnnounced)
    : IUpstreamAnswerObserver
{
    private bool _isDone;

    /// <inheritdoc/>
    public ValueTask AnsweredAsync(ResponseTransformContext context, bool isRelayed) => new(FinishAsync());

    /// <summary>Does it, unless it is done: whatever the upstream answered, it may have had its effect.</summary>
    public async Task FinishAsync()
    {
        if (_isDone)
        {
            return;
        }

        _isDone = true;
        store.Forget(change);
        if (isAnnounced)
        {
            await feed.TryAnnounceAsync(change);
        }
    }
}
