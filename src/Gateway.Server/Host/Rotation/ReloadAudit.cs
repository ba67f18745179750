using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Server.Store.Keys;

namespace Gateway.Server.Host.Rotation;

/// <summary>Records each reload: what changed, or why the new files were refused.</summary>
internal sealed class ReloadAudit(
    Reloadable<PolicySet> policies,
    Reloadable<HtpasswdFile> users,
    Reloadable<CertificateSet> certificates,
    Reloadable<LimitSet> limits,
    Reloadable<ClientCertificateTrust> clientCertificates,
    IEnumerable<IReloadable> reloadables,
    ISigningKeys keys,
    IAuditLog audit,
    TimeProvider time) : BackgroundService
{
    private SigningKeyRing? _ring;
    private Snapshot? _keys;

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        WatchPolicies();
        Watch(users, ReloadSnapshots.Take);
        Watch(certificates, ReloadSnapshots.Take);
        Watch(limits, ReloadSnapshots.Take);
        Watch(clientCertificates, ReloadSnapshots.Take);
        LookAtKeys();
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Keys come from a folder or from Redis, and refusals are a state: both are looked at.
        var refused = reloadables.ToDictionary(
            static reloadable => reloadable.Name, static reloadable => reloadable.Status.Problems,
            StringComparer.Ordinal);
        for (var pulse = Pulse.Listen(time); ;)
        {
            await pulse.WaitAsync(stoppingToken);
            LookAtKeys();
            foreach (var reloadable in reloadables)
            {
                var problems = reloadable.Status.Problems;
                if (problems.Count > 0 && !problems.SequenceEqual(refused[reloadable.Name]))
                {
                    audit.Record(new ReloadEntry(time.GetUtcNow()) { Source = reloadable.Name, Problems = problems });
                }

                refused[reloadable.Name] = problems;
            }
        }
    }

    // Told by the reload itself, so that its line comes before those of requests that it decided.
    private void Watch<T>(Reloadable<T> reloadable, Func<T, Snapshot> describe)
        where T : class
    {
        var before = describe(reloadable.Current);
        reloadable.Changed += value =>
        {
            var after = describe(value);
            audit.Record(new ReloadEntry(time.GetUtcNow()) { Source = reloadable.Name, Changes = after.Since(before) });
            before = after;
        };
    }

    // Nothing is written out beforehand: the policies in force are in memory, and most of them stay.
    private void WatchPolicies()
    {
        var before = policies.Current;
        policies.Changed += value =>
        {
            var changes = ReloadSnapshots.Compare(before, value);
            audit.Record(new ReloadEntry(time.GetUtcNow()) { Source = policies.Name, Changes = changes });
            before = value;
        };
    }

    private void LookAtKeys()
    {
        SigningKeyRing ring;
        try
        {
            ring = keys.Current;
        }
        catch (StateException)
        {
            return; // none yet; when they come, that is a change
        }

        if (ReferenceEquals(ring, _ring))
        {
            return;
        }

        var after = ReloadSnapshots.Take(ring);
        if (_keys is not null && after.Since(_keys) is { Count: > 0 } changes)
        {
            audit.Record(new ReloadEntry(time.GetUtcNow()) { Source = "keys", Changes = changes });
        }

        (_ring, _keys) = (ring, after);
    }
}
