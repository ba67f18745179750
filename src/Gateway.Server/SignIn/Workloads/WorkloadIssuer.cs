using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Issuers;

namespace Gateway.Server.SignIn.Workloads;

/// <summary>One configured issuer of jobs' ID tokens, with the rules for what it signs.</summary>
internal sealed class WorkloadIssuer : ISubjectSource
{
    private readonly Dictionary<string, WorkloadRule> _byEvidence;
    private readonly TimeSpan? _maximumTokenLifetime;

    /// <param name="name">Its name in the configuration.</param>
    /// <param name="options">Its options, valid.</param>
    /// <param name="metadata">Its keys.</param>
    public WorkloadIssuer(string name, WorkloadOptions options, IssuerMetadata metadata)
    {
        Name = name;
        Audience = options.Audience;
        Metadata = metadata;
        _maximumTokenLifetime = options.MaximumTokenLifetime;
        Rules = [.. options.Rules.Select(rule => new WorkloadRule(name, options, rule))];
        _byEvidence = Rules.DistinctBy(static rule => rule.Evidence).ToDictionary(static rule => rule.Evidence);
    }

    /// <summary>Its name in the configuration.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public string Method => $"issuer:{Name}";

    /// <summary>The audience that its tokens must name.</summary>
    public string Audience { get; }

    /// <summary>Its keys.</summary>
    public IssuerMetadata Metadata { get; }

    /// <summary>The rules, in their order.</summary>
    public IReadOnlyList<WorkloadRule> Rules { get; }

    /// <summary>Why a token that is good at the issuer is not accepted here, by the issuer's own settings.</summary>
    /// <returns>
    /// Part of a sentence for the log and for the caller who presented it; <see langword="null"/> where it is accepted.
    /// </returns>
    public string? FindFault(IdToken token)
    {
        var life = token.ExpiresAt - token.IssuedAt;
        return _maximumTokenLifetime is { } most && life > most
            ? $"its lifetime is {Duration.Format(WholeSeconds(life))}, and the operator's maximumTokenLifetime for "
                + $"{Name} is {Duration.Format(most)}: have one with a shorter lifetime issued"
            : null;
    }

    /// <inheritdoc/>
    public AuthenticationResult.Refused? FindFault(Subject subject, string? evidence) =>
        evidence is not null && _byEvidence.ContainsKey(evidence)
            ? null
            : new AuthenticationResult.Refused(
                "the rule that accepted the workload was changed",
                "the rule by which it was issued is no longer in force");

    /// <inheritdoc/>
    /// <remarks>No one is known here by name: jobs come and go.</remarks>
    public ValueTask<SubjectState> ResolveAsync(string name, CancellationToken cancellationToken) =>
        ValueTask.FromResult<SubjectState>(SubjectState.Gone.Instance);

    private static TimeSpan WholeSeconds(TimeSpan time) => TimeSpan.FromSeconds(Math.Ceiling(time.TotalSeconds));
}
