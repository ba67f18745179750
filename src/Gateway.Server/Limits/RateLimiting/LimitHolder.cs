using System.Diagnostics.CodeAnalysis;
using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>Whose budgets are meant: a subject with their account, or an address.</summary>
/// <param name="Subject">As in a key; <see langword="null"/> for an address.</param>
/// <param name="Account">The same for failed sign-ins.</param>
/// <param name="Address">As in a key; <see langword="null"/> for a subject.</param>
internal sealed record LimitHolder(string? Subject, string? Account, string? Address)
{
    /// <summary>What may be written, for messages.</summary>
    public const string Forms = "user:NAME, robot:NAME, anonymous, an IP address, or a user name";

    /// <summary>Reads what somebody typed.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out LimitHolder? holder)
    {
        holder = null;
        var address = text.EndsWith("/64", StringComparison.Ordinal) ? text[..^3] : text;
        if (IPAddress.TryParse(address, out var ip))
        {
            holder = new LimitHolder(null, null, LimitKey.AddressOf(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip));
        }
        else if (text == "anonymous" || text.StartsWith("robot:", StringComparison.Ordinal)
            || text.StartsWith("workload:", StringComparison.Ordinal))
        {
            holder = new LimitHolder(text, null, null);
        }
        else
        {
            var name = text.StartsWith("user:", StringComparison.Ordinal) ? text["user:".Length..] : text;
            holder = SubjectSelector.IsName(name)
                ? new LimitHolder("user:" + name, LimitKey.AccountOf(name), null)
                : null;
        }

        return holder is not null;
    }
}
