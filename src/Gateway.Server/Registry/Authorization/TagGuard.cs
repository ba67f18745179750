using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Authorization;

/// <summary>
/// Decides a request where rules about tags need to know what the upstream holds: whether a push moves a tag, and
/// which tags a delete by digest takes away. Where no such rule applies, the upstream is not asked.
/// </summary>
internal sealed class TagGuard(UpstreamTags tags, TimeProvider time)
{
    // Each protected tag costs a request upstream; beyond this a delete by digest is refused rather than guessed.
    private const int MostTagsAsked = 1_000;

    // A client that trickles its manifest holds the tag for as long; a push that waits for it gets an error instead.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly KeyedLock _writers = new();

    /// <summary>Decides.</summary>
    /// <exception cref="UpstreamException">A rule needs an answer that the upstream did not give.</exception>
    public async Task<TagVerdict> DecideAsync(
        PolicySet policy,
        AccessRequest access,
        RegistryRequest request,
        UpstreamRegistry registry,
        CancellationToken cancellationToken)
    {
        var decision = policy.Evaluate(access);
        return request switch
        {
            { Operation: RegistryOperation.PutManifest, Tag: { } tag } when decision.IsAllowed =>
                await DecidePutAsync(policy, access, decision, tag, registry, cancellationToken),
            { Operation: RegistryOperation.DeleteManifest, Reference.Digest: { } digest } when !decision.IsAllowed =>
                await DecideDeleteAsync(policy, access, decision, digest, registry, cancellationToken),
            _ => new TagVerdict(decision, access),
        };
    }

    private async Task<TagVerdict> DecidePutAsync(
        PolicySet policy,
        AccessRequest access,
        AccessDecision push,
        Tag tag,
        UpstreamRegistry registry,
        CancellationToken cancellationToken)
    {
        var moving = access with { Actions = RepositoryActions.Overwrite };
        var overwrite = policy.Evaluate(moving);
        if (overwrite.IsAllowed)
        {
            return new TagVerdict(push, access);
        }

        // Two pushes of one new tag must not both see that it is absent: the second waits until the first has ended.
        // This holds for this process; docs/policy.md says what it means for several replicas.
        var hold = await HoldAsync($"{registry.Name}/{access.Repository}:{tag}", tag, cancellationToken);
        try
        {
            if (await tags.ExistsAsync(registry, access.Repository, tag, cancellationToken))
            {
                hold.Dispose();
                return new TagVerdict(overwrite, moving, $"the tag \"{tag}\" exists and may not be moved");
            }
        }
        catch
        {
            hold.Dispose();
            throw;
        }

        return new TagVerdict(push, access, hold: hold);
    }

    private async Task<IDisposable> HoldAsync(string key, Tag tag, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(LongestWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await _writers.AcquireAsync(key, either.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new UpstreamException(
                RegistryError.Unavailable(
                    503, $"another push of the protected tag \"{tag}\" is under way; try again shortly"),
                exception);
        }
    }

    // The request carries no tag, so every deny that protects a tag applied. It holds only where such a tag is touched.
    private async Task<TagVerdict> DecideDeleteAsync(
        PolicySet policy,
        AccessRequest access,
        AccessDecision denied,
        Digest digest,
        UpstreamRegistry registry,
        CancellationToken cancellationToken)
    {
        var untagged = policy.Evaluate(access with { Tag = TagScope.None });
        if (!untagged.IsAllowed || !policy.DependsOnTag(access))
        {
            return new TagVerdict(denied, access); // refused even if no tag points there
        }

        var asked = 0;
        var explored = new HashSet<Digest>();
        foreach (var tag in await tags.ListAsync(registry, access.Repository, cancellationToken) ?? [])
        {
            var byTag = access with { Tag = TagScope.Of(tag) };
            var decision = policy.Evaluate(byTag);
            if (decision.IsAllowed)
            {
                continue;
            }

            if (++asked > MostTagsAsked)
            {
                return new TagVerdict(denied, access,
                    "there are too many protected tags to check whether this would delete one");
            }

            if (await tags.ReachesAsync(registry, access.Repository, tag, digest, explored, cancellationToken))
            {
                // A tag that is hidden from the caller is not named here either.
                return policy.Evaluate(byTag with { Actions = RepositoryActions.Pull }).IsAllowed
                    ? new TagVerdict(decision, byTag, $"the protected tag \"{tag}\" needs this manifest")
                    : new TagVerdict(denied, access, "a protected tag needs this manifest");
            }
        }

        return new TagVerdict(untagged, access);
    }
}
