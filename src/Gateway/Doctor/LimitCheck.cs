using Gateway.Client.Doctor;
using Gateway.Server.Limits.RateLimiting;

namespace Gateway.Doctor;

/// <summary>
/// Limits that an ordinary client cannot stay within, and limits never reached because another is tighter.
/// </summary>
internal sealed class LimitCheck : IServerCheck
{
    /// <inheritdoc/>
    public string Area => "LIM";

    /// <inheritdoc/>
    public string Subject => "the limits";

    /// <inheritdoc/>
    public Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var rules = examined.Options.Limits.Rules;
        foreach (var rule in rules)
        {
            var (burst, needed) = (rule.Burst ?? rule.Rate, NeededBy(rule));
            if (burst < needed.Count)
            {
                diagnosis.Warn(
                    "LIM002", $"limits.rules \"{rule.Name}\"",
                    $"it allows {burst} at once, but {needed.What} takes {needed.Count}",
                    $"burst: {needed.Count} or more, with a rate that allows several in a row");
            }

            if (rules.Find(other => !ReferenceEquals(other, rule) && IsTighter(other, rule)) is { } tighter)
            {
                diagnosis.Warn(
                    "LIM003", $"limits.rules \"{rule.Name}\"",
                    $"\"{tighter.Name}\" counts the same requests and is reached first",
                    "Remove the limit that is not intended");
            }
        }

        if (rules.Count > 0 && !diagnosis.Has(Area))
        {
            diagnosis.Pass(
                Area, Subject, $"{DoctorText.Count(rules.Count, "limit")}; ordinary use stays within all of them");
        }

        return Task.CompletedTask;
    }

    // How much one command of a client uses: docs/limits.md.
    private static (int Count, string What) NeededBy(LimitRuleOptions rule) =>
        rule.Classes.Contains(LimitClass.SignInFailure) ? (2, "one mistyped password, which docker sends twice,")
        : rule.Classes.Contains(LimitClass.Push) ? (4, "a push of an image of two layers")
        : rule.Classes.Contains(LimitClass.Read) ? (4, "a pull of an image of two layers")
        : rule.Classes.Contains(LimitClass.Pull) ? (2, "a pull of an image for several platforms")
        : rule.Classes.Contains(LimitClass.Token) ? (2, "a login and the pull after it")
        : (1, "one request");

    private static bool IsTighter(LimitRuleOptions one, LimitRuleOptions other) =>
        Same(one.Classes, other.Classes) && Same(one.Per, other.Per) && Same(one.To, other.To)
        && Same(one.Repositories, other.Repositories)
        && (one.Burst ?? one.Rate) <= (other.Burst ?? other.Rate)
        && one.Rate / one.Window.TotalSeconds < other.Rate / other.Window.TotalSeconds;

    private static bool Same<T>(List<T> one, List<T> other) => one.Count == other.Count && !one.Except(other).Any();
}
