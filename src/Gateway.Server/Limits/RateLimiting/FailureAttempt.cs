using System.Net;
using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>An attempt to sign in, as it is counted if it fails.</summary>
/// <param name="AgainKey">Names account, password and address without telling the password.</param>
/// <param name="Charges">The budgets.</param>
internal sealed record FailureAttempt(string AgainKey, IReadOnlyList<FailureCharge> Charges)
{
    /// <summary>How long it is remembered that an attempt was counted.</summary>
    /// <remarks>
    /// Within it clients that send each wrong password twice have done so (containerd, BuildKit, Helm; POST, then GET).
    /// </remarks>
    public static readonly TimeSpan AgainLifetime = TimeSpan.FromSeconds(10);

    /// <summary>Works out the budgets of an attempt.</summary>
    /// <param name="rules">The limits of failed sign-ins.</param>
    /// <param name="userName">The name as sent.</param>
    /// <param name="address">Where it comes from.</param>
    /// <param name="fingerprint">See <see cref="CredentialFingerprint"/>.</param>
    public static FailureAttempt Create(
        IReadOnlyList<LimitRule> rules, string userName, IPAddress address, string fingerprint)
    {
        var account = LimitKey.AccountOf(userName);
        var from = LimitKey.AddressOf(address);
        var charges = new FailureCharge[rules.Count];
        for (var i = 0; i < charges.Length; i++)
        {
            var per = rules[i].Per;
            var byAddress = per.HasFlag(LimitPartitions.Address);
            charges[i] = new FailureCharge(
                rules[i],
                LimitKey.Build(
                    LimitKey.FailurePrefix,
                    rules[i].Name,
                    per.HasFlag(LimitPartitions.Subject) ? account : null,
                    byAddress ? from : null),
                LimitKey.Build("seen:", rules[i].Name, account, from),
                OnlyWhereSeen: !byAddress);
        }

        return new FailureAttempt("again:" + fingerprint, charges);
    }

    /// <summary>The same with half of what is allowed, for a process that has lost sight of the others.</summary>
    public FailureAttempt Halve() => this with
    {
        Charges = [.. Charges.Select(static charge => charge with
        {
            Rule = charge.Rule with { Quota = charge.Rule.Quota.Halve() },
        })],
    };
}
