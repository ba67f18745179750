using System.Globalization;
using Gateway.Core.RateLimiting;
using Gateway.Foundation.Text;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>Shows and resets budgets, wherever they are counted.</summary>
internal sealed class LimitLedger(
    Reloadable<LimitSet> limits,
    MemoryLimiter memory,
    FailureCounter failures,
    TimeProvider time,
    RedisConnection? redis = null,
    LimitLeases? leases = null)
{
    private const int MostShown = 500;
    private const double Second = 1_000_000;

    // A page for each question, so that Redis is not held up by it. KEYS: the prefix, which leads to the node of a
    // cluster.
    private const string Scan = """
        local t = redis.call('TIME')
        local page = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', 1000)
        local found = {page[1], string.format('%.0f', t[1] * 1000000 + t[2])}
        for _, key in ipairs(page[2]) do
            found[#found + 1] = key
            found[#found + 1] = redis.call('GET', key) or ''
        end
        return found
        """;

    /// <summary>The budgets of somebody of which something is used; everybody's where nobody is named.</summary>
    public async Task<LimitReport> ShowAsync(LimitHolder? holder, CancellationToken cancellationToken)
    {
        var standings = new List<LimitStanding>();
        var (entries, problem) = await FindAsync(holder, cancellationToken);
        foreach (var entry in entries)
        {
            if (Describe(entry) is { } standing)
            {
                standings.Add(standing);
            }
        }

        return new LimitReport([.. standings
            .OrderByDescending(static one => one.NextInSeconds).ThenBy(static one => one.Left)
            .ThenBy(static one => one.Of, StringComparer.Ordinal).Take(MostShown)], problem);
    }

    /// <summary>Resets the budgets of a caller, and tells how they were.</summary>
    /// <exception cref="StateException">Redis became unavailable meanwhile.</exception>
    public async Task<LimitReport> ResetAsync(LimitHolder holder, CancellationToken cancellationToken)
    {
        var before = await ShowAsync(holder, cancellationToken);
        var forgotten = leases?.Forget(key => IsOf(key, holder));
        foreach (var entry in (await FindAsync(holder, cancellationToken)).Entries)
        {
            if (!entry.IsShared)
            {
                memory.Reset(entry.Key);
                failures.Reset(entry.Key);
            }
            else if (redis is null)
            {
                continue;
            }
            else if (IsFailure(entry.Key))
            {
                await redis.EvaluateAsync(
                    "return redis.call('DEL', KEYS[1])", [redis.Key(entry.Key)], [], cancellationToken);
            }
            else
            {
                await redis.EvaluateAsync(
                    LimitScripts.Reset,
                    [redis.Key(entry.Key), redis.Key(LimitKey.LeasesOf(entry.Key))],
                    [forgotten?.GetValueOrDefault(entry.Key) ?? "-"],
                    cancellationToken);
            }
        }

        return before;
    }

    private static bool IsFailure(string key) => key.StartsWith(LimitKey.FailurePrefix, StringComparison.Ordinal);

    private static bool IsOf(string key, LimitHolder? holder)
    {
        if (holder is null)
        {
            return true;
        }

        var parts = key.Split('|');
        var subject = IsFailure(key) ? holder.Account : holder.Subject;
        return parts.Length == 4
            && ((subject is not null && parts[1] == LimitKey.Part(subject))
                || (holder.Address is not null && parts[2] == LimitKey.Part(holder.Address)));
    }

    // What this process counts is found also while Redis is unavailable: that is when it counts.
    private async Task<(List<Entry> Entries, string? Problem)> FindAsync(
        LimitHolder? holder, CancellationToken cancellationToken)
    {
        var now = time.Microseconds();
        var found = memory.Read()
            .Select(one => new Entry(one.Key, new LeasedBudget(now + one.Whole, []), default, now, false))
            .Concat(failures.Read()
                .Select(static one => new Entry(one.Key, LeasedBudget.Full, one.Budget, one.Now, false)))
            .Where(one => IsOf(one.Key, holder)).ToList();
        try
        {
            if (redis is not null)
            {
                await FindSharedAsync(holder, found, cancellationToken);
            }

            return (found, null);
        }
        catch (StateException exception)
        {
            return (found, $"{exception.Message} The budgets that Redis counts are missing here.");
        }
    }

    private async Task FindSharedAsync(LimitHolder? holder, List<Entry> found, CancellationToken cancellationToken)
    {
        var budgets = await ScanAsync(LimitKey.Prefix, holder, cancellationToken);
        var leased = await ScanAsync(LimitKey.LeasePrefix, holder, cancellationToken);
        foreach (var key in budgets.Keys.Union(leased.Keys.Select(LimitKey.BudgetOf)))
        {
            var budget = budgets.GetValueOrDefault(key);
            var others = leased.GetValueOrDefault(LimitKey.LeasesOf(key));
            found.Add(new Entry(
                key,
                LeasedBudget.Parse(budget.Value ?? "", others.Value ?? ""),
                default,
                Math.Max(budget.Now, others.Now),
                true));
        }

        foreach (var (key, (value, now)) in await ScanAsync(LimitKey.FailurePrefix, holder, cancellationToken))
        {
            found.Add(new Entry(key, LeasedBudget.Full, Read(value), now, true));
        }
    }

    // A scan may name a key twice.
    private async Task<Dictionary<string, (string Value, long Now)>> ScanAsync(
        string prefix, LimitHolder? holder, CancellationToken cancellationToken)
    {
        var own = redis!.Key("").ToString();
        var pattern = Escape(own + prefix) + "*";
        var cursor = "0";
        var found = new Dictionary<string, (string Value, long Now)>(StringComparer.Ordinal);
        do
        {
            var page = await redis.EvaluateAsync(
                Scan, [redis.Key("")], [cursor, pattern], static result => ScanPage.Parse((string[])result!),
                cancellationToken);
            cursor = page.Cursor;
            foreach (var (name, value) in page.Values)
            {
                if (name[own.Length..] is var key && IsOf(key, holder))
                {
                    found[key] = (value, page.Now);
                }
            }
        }
        while (cursor != "0");

        return found;
    }

    private static FailureBudget Read(string value)
    {
        var space = value.IndexOf(' ', StringComparison.Ordinal);
        return new FailureBudget(
            long.TryParse(space < 0 ? value : value.AsSpan(0, space), CultureInfo.InvariantCulture, out var whole)
                ? whole
                : 0,
            space >= 0 && long.TryParse(value.AsSpan(space + 1), CultureInfo.InvariantCulture, out var last)
                ? last
                : 0);
    }

    private static string Escape(string text) => string.Concat(
        text.Select(static c => c is '*' or '?' or '[' or ']' or '\\' ? $"\\{c}" : c.ToString()));

    private LimitStanding? Describe(Entry entry)
    {
        var isFailure = IsFailure(entry.Key);
        var parts = entry.Key[(isFailure ? LimitKey.FailurePrefix : LimitKey.Prefix).Length..].Split('|');
        var rule = limits.Current.Rules.FirstOrDefault(rule => rule.Name == parts[0]);
        if (rule is null || parts.Length != 4)
        {
            return null; // of a limit that is not in force any more
        }

        var of = string.Join(' ', parts[1..].Where(static part => part.Length > 0).Select(Uri.UnescapeDataString));
        var (left, wait, whole) = isFailure ? DescribeFailures(entry, rule) : DescribeRequests(entry, rule);
        return whole <= 0 ? null : new LimitStanding(
            rule.Name,
            isFailure ? "failures" : "requests",
            of.Length == 0 ? "everyone" : PrintableName.Of(of),
            left,
            rule.Quota.Burst,
            Math.Round(Math.Max(0, wait) / Second, 1),
            Math.Round(whole / Second, 1),
            entry.IsShared ? "redis" : "memory");
    }

    private static (long Left, long Wait, long Whole) DescribeFailures(Entry entry, LimitRule rule) => (
        Math.Max(0, rule.Quota.Burst - entry.Failures.Count(entry.Now, rule.Quota)),
        entry.Failures.Wait(entry.Now, rule.Quota),
        entry.Failures.Whole - entry.Now);

    // What other replicas hold counts as taken; what this one holds and has not used, as left.
    private (long Left, long Wait, long Whole) DescribeRequests(Entry entry, LimitRule rule)
    {
        var (quota, now) = (rule.Quota, entry.Now);
        var budget = entry.Budget.Settle(now, quota);
        var reserved = budget.Reserved;
        if (entry.IsShared && leases is not null)
        {
            var (id, unused) = leases.Find(entry.Key);
            reserved -= budget.Leases.Any(lease => lease.Id == id) ? unused : 0;
        }

        return (
            Gcra.Judge(budget.Whole, now, quota, 0, reserved).Remaining,
            Gcra.Judge(budget.Whole, now, quota, 1, reserved).Wait,
            Math.Max(0, budget.Whole - now) + (reserved * quota.Interval));
    }

    /// <summary>
    /// What <see cref="Scan"/> answers: where it goes on, Redis's clock, and the keys of the page with their values.
    /// </summary>
    private sealed record ScanPage(string Cursor, long Now, IReadOnlyList<(string Name, string Value)> Values)
    {
        public static ScanPage Parse(string[] answer) => answer is [var cursor, var now, .. var values]
            ? new ScanPage(
                cursor, long.Parse(now, CultureInfo.InvariantCulture),
                [.. values.Chunk(2).Select(static pair => (pair[0], pair[1]))])
            : throw new FormatException("no page");
    }

    private readonly record struct Entry(
        string Key, LeasedBudget Budget, FailureBudget Failures, long Now, bool IsShared);
}
