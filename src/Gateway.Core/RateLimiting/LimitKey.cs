using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Gateway.Core.Authorization;

namespace Gateway.Core.RateLimiting;

/// <summary>
/// Names of budgets: <c>limit:RULE|SUBJECT|ADDRESS|REPOSITORY</c>, each part percent-encoded, empty where the rule does
/// not count by it. No part can contain the separator or a character that Redis's patterns know.
/// </summary>
public static class LimitKey
{
    /// <summary>What all of them begin with.</summary>
    public const string Prefix = "limit:";

    /// <summary>What the leases of a budget begin with; the rest is the budget's.</summary>
    public const string LeasePrefix = "lease:";

    /// <summary>What the budgets of failed sign-ins begin with.</summary>
    public const string FailurePrefix = "failed:";

    /// <summary>The longest name that a key holds as it is; longer ones were made up at a sign-in.</summary>
    private const int LongestName = 128;

    /// <summary>The name of a budget.</summary>
    public static string Build(
        string prefix, string rule, string? subject, string? address, string? repository = null) =>
        string.Concat(
            string.Concat(prefix, rule, "|", Part(subject)), "|", Part(address), "|" + Part(repository));

    /// <summary>The name of a budget's leases.</summary>
    public static string LeasesOf(string budget) =>
        string.Concat(LeasePrefix, budget.AsSpan(Prefix.Length));

    /// <summary>The name of the budget that leases belong to.</summary>
    public static string BudgetOf(string leases) =>
        string.Concat(Prefix, leases.AsSpan(LeasePrefix.Length));

    /// <summary>What names a subject in keys.</summary>
    public static string SubjectOf(Subject subject) => subject.ToString();

    /// <summary>What names the account of a sign-in, which may not exist.</summary>
    /// <remarks>
    /// One spelling, so that a guesser has not a budget for each: a method may take "Alice" and "alice" for the same.
    /// Two persons whose names differ by that alone share a budget, which costs them little.
    /// </remarks>
    public static string AccountOf(string userName)
    {
        var name = userName.Trim().ToLowerInvariant();

        // Names are ASCII. Others exist nowhere, and must not fill memory with ten bytes for each of their characters.
        return name.Length <= LongestName && !name.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? "user:" + name
            : "user:?" + Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(name.AsSpan())).AsSpan(0, 16));
    }

    /// <summary>What names an address: IPv4 whole, IPv6 by its network of 64 bits.</summary>
    public static string AddressOf(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address.ToString();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes) + "/64";
    }

    /// <summary>One part as a key holds it.</summary>
    public static string Part(string? text) => text is null ? "" : Uri.EscapeDataString(text);
}
