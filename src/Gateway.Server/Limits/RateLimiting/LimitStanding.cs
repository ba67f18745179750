using System.Text.Json.Serialization;

namespace Gateway.Server.Limits.RateLimiting;

/// <summary>The state of one budget.</summary>
/// <param name="Limit">The limit's name.</param>
/// <param name="Kind"><c>requests</c>, or <c>failures</c> for failed sign-ins.</param>
/// <param name="Of">Whose budget: subject, address and repository as far as the limit counts by them.</param>
/// <param name="Left">How many permits, or failed sign-ins without waiting, are left.</param>
/// <param name="Burst">Of how many.</param>
/// <param name="NextInSeconds">How long the next one has to wait; 0 where it has not.</param>
/// <param name="WholeInSeconds">When the budget is full again.</param>
/// <param name="CountedIn"><c>redis</c>, or <c>memory</c> of the gateway that was asked.</param>
internal sealed record LimitStanding(
    string Limit,
    string Kind,
    string Of,
    long Left,
    int Burst,
    double NextInSeconds,
    double WholeInSeconds,
    string CountedIn);

/// <summary>The answer to <c>gateway limits</c>.</summary>
/// <param name="Standings">Budgets of which something is, or was, used; the tightest first.</param>
/// <param name="Problem">Why some are missing; <see langword="null"/>: none is.</param>
internal sealed record LimitReport(IReadOnlyList<LimitStanding> Standings, string? Problem = null);

/// <summary>How they are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LimitReport))]
internal sealed partial class LimitJsonContext : JsonSerializerContext;
