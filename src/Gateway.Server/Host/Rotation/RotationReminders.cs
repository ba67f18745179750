using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;

namespace Gateway.Server.Host.Rotation;

/// <summary>
/// Looks once an hour for what is due to be replaced, for the metrics, and says so once a day in the log.
/// </summary>
internal sealed partial class RotationReminders(
    GatewayOptions options,
    ISigningKeys keys,
    Reloadable<HtpasswdFile> users,
    Reloadable<CertificateSet> certificates,
    ICredentialStore store,
    TimeProvider time,
    ILogger<RotationReminders> logger) : BackgroundService
{
    private const int MostNamed = 10;

    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private static readonly TimeSpan BetweenReminders = TimeSpan.FromDays(1);

    // A start is busy enough, and what it finds is as true a moment later.
    private static readonly TimeSpan FirstLook = TimeSpan.FromSeconds(10);

    private volatile IReadOnlyList<DueForRotation> _due = [];
    private DateTimeOffset _remindedAt;

    /// <summary>What was due at the last look; every kind, also with nothing due.</summary>
    public IReadOnlyList<DueForRotation> Due => _due;

    /// <summary>Looks now, and reminds where a day has passed since.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        _due =
        [
            new("signing_key", [.. SigningKeys(now)], "Run gateway keys rotate, or set tokens.keys.rotateAfter."),
            new("password", [.. users.Current.Names.Where(name => RotationRules.IsDue(users.Current.Find(name)!)).Order(
                StringComparer.Ordinal)], "Set new passwords for these users: gateway user add."),
            new("token", [.. await TokensAsync(now, cancellationToken)], "Run gateway token rotate."),
            new(
                "certificate",
                [
                    .. certificates.Current.Certificates.Where(one => RotationRules.IsDue(one, now)).Select(
                        static one => one.File),
                ], "Renew them; they are served without a restart."),
            new("secret", [.. Secrets(now)], "Replace them on both sides."),
        ];
        if (now - _remindedAt < BetweenReminders)
        {
            return;
        }

        _remindedAt = now;
        foreach (var kind in _due.Where(static kind => kind.Names.Count > 0))
        {
            Log.Due(
                logger, kind.Names.Count, kind.Kind.Replace('_', ' '),
                string.Join(", ", kind.Names.Take(MostNamed)) + (kind.Names.Count > MostNamed ? ", …" : ""), kind.Fix);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Delay(FirstLook, time, stoppingToken);
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            await LookAsync(stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private IEnumerable<string> SigningKeys(DateTimeOffset now)
    {
        SigningKey signs;
        try
        {
            signs = keys.Current.ActiveAt(now);
        }
        catch (StateException)
        {
            yield break; // keys in Redis that could not be read yet: /readyz says so
        }

        if (RotationRules.IsDue(signs, options.Tokens, now))
        {
            yield return signs.Id;
        }
    }

    private async Task<IEnumerable<string>> TokensAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            return (await store.ListAsync(null, cancellationToken))
                .Where(one => RotationRules.IsDue(one, now))
                .OrderBy(static one => one.ExpiresAt).Select(static one => one.Id);
        }
        catch (StateException)
        {
            return _due.FirstOrDefault(
                static kind => kind.Kind == "token")?.Names ?? []; // the store is unavailable; the feed says so
        }
    }

    private IEnumerable<string> Secrets(DateTimeOffset now) => options.Paths
        .Where(
            file => file.IsSecret && File.Exists(file.Path)
                && now - File.GetLastWriteTimeUtc(file.Path) > RotationRules.SecretAge)
        .Select(static file => file.Key);

    private static partial class Log
    {
        [LoggerMessage(1901, LogLevel.Warning, "Due for rotation: {Count} of the kind {Kind} ({Names}). {Fix}")]
        public static partial void Due(ILogger logger, int count, string kind, string names, string fix);
    }
}
