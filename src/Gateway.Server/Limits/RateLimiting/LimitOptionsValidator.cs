using System.Buffers;
using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>Rules of the <c>limits</c> section.</summary>
internal static class LimitOptionsValidator
{
    private const int MostRules = 200;
    private const int LongestName = 64;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(LimitOptions options, SettingScope scope)
    {
        scope.At(nameof(options.Timeout))
            .CheckRange(options.Timeout, TimeSpan.FromMilliseconds(5), TimeSpan.FromSeconds(10));
        var rules = scope.At(nameof(options.Rules));
        if (options.Rules.Count > MostRules)
        {
            rules.Report($"has more than {MostRules} limits", "Combine some of them.");
        }

        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < options.Rules.Count; i++)
        {
            var rule = options.Rules[i];
            var at = rules.At(i);
            if (rule.Name.Length > 0 && !names.TryAdd(rule.Name, i))
            {
                at.At(nameof(rule.Name)).Report(
                    $"is also the name of {rules.At(names[rule.Name]).Key}", "Give each limit a name of its own.");
            }

            ValidateRule(rule, at);
        }
    }

    private static void ValidateRule(LimitRuleOptions rule, SettingScope scope)
    {
        if (rule.Name.Length > LongestName || rule.Name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            scope.At(nameof(rule.Name)).Report(
                "is not the name of a limit",
                $"Write 1 to {LongestName} lower-case letters, digits and dashes, for example \"anonymous-pulls\".");
        }

        CheckSelectors(rule.To, scope.At(nameof(rule.To)));
        CheckRepositories(rule, scope.At(nameof(rule.Repositories)));
        CheckPartitions(rule, scope.At(nameof(rule.Per)));
        CheckSignInFailures(rule, scope);
        CheckQuota(rule, scope);
    }

    private static void CheckSelectors(List<string> selectors, SettingScope scope)
    {
        for (var i = 0; i < selectors.Count; i++)
        {
            if (!SubjectSelector.TryParse(selectors[i], out _))
            {
                scope.At(i).Report("matches nobody", $"Write {SubjectSelector.Forms}.");
            }
        }
    }

    private static void CheckRepositories(LimitRuleOptions rule, SettingScope scope)
    {
        for (var i = 0; i < rule.Repositories.Count; i++)
        {
            if (!RepositoryPattern.TryParse(rule.Repositories[i], out _, out var fix))
            {
                scope.At(i).Report("is not a pattern", fix);
            }
        }

        if (rule.Repositories.Count > 0
            && rule.Classes.Any(static one => one is LimitClass.Catalog or LimitClass.Token))
        {
            scope.Report(
                "never match a catalog or token request, which concerns no repository",
                "Remove them, or move \"catalog\" and \"token\" to a limit of their own.");
        }
    }

    private static void CheckPartitions(LimitRuleOptions rule, SettingScope scope)
    {
        if (rule.Per.Contains(LimitPartition.Everyone) && rule.Per.Count > 1)
        {
            scope.Report("combines everyone with something else", "Write only \"everyone\", or leave it out.");
        }

        if (rule.Per.Contains(LimitPartition.Caller)
            && rule.Per.Any(static one => one is LimitPartition.Subject or LimitPartition.Address))
        {
            scope.Report(
                "combines caller with subject or address",
                "Keep \"caller\", which is the subject, or the address of a caller who is not signed in; "
                    + "or keep the others.");
        }
    }

    private static void CheckSignInFailures(LimitRuleOptions rule, SettingScope scope)
    {
        if (!rule.Classes.Contains(LimitClass.SignInFailure))
        {
            return;
        }

        if (rule.Classes.Count > 1)
        {
            scope.At(nameof(rule.Classes)).Report(
                "counts failed sign-ins together with requests", "Put \"signInFailure\" into a limit of its own.");
        }

        if (rule.To.Count > 0 || rule.Repositories.Count > 0)
        {
            scope.Report(
                "has callers or repositories, but a failed sign-in has neither",
                "Remove \"to\" and \"repositories\" from a limit of \"signInFailure\".");
        }

        if (rule.Per.Count == 0
            || rule.Per.Any(static one => one is not (LimitPartition.Subject or LimitPartition.Address)))
        {
            scope.At(nameof(rule.Per)).Report(
                "is not something by which failed sign-ins are counted",
                "Write [address], [subject] (each account) or both; "
                    + "one budget for all would let anyone lock out everyone.");
        }
    }

    private static void CheckQuota(LimitRuleOptions rule, SettingScope scope)
    {
        var (rate, window, burst) =
            (scope.At(nameof(rule.Rate)), scope.At(nameof(rule.Window)), scope.At(nameof(rule.Burst)));
        rate.CheckRange(rule.Rate, 1, Quota.Most);
        window.CheckRange(rule.Window, TimeSpan.FromSeconds(1), Quota.LongestWindow);
        burst.CheckRange(rule.Burst ?? 1, 1, Quota.Most);
        if (rule.Rate >= 1 && !Quota.ComesBack(rule.Rate, rule.Window, rule.Burst ?? rule.Rate))
        {
            burst.Report(
                $"would take more than {Duration.Format(Quota.LongestRefill)} to refill",
                "Lower it, or raise the rate.");
        }
    }
}
