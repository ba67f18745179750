using Gateway.Client.Doctor;
using Gateway.Server.Registry.Policies;

namespace Gateway.Doctor;

/// <summary>Whether the policy files are valid.</summary>
internal sealed class PolicyFileCheck : IServerCheck
{
    /// <inheritdoc/>
    public string Area => "POL";

    /// <inheritdoc/>
    public string Subject => "the policy files";

    /// <inheritdoc/>
    public Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var options = examined.Options;
        var reading = PolicyFolder.Read(
            options.Policies, [.. options.Registries.Select(static registry => registry.Name)],
            options.RequireDocumentEnd);
        foreach (var problem in reading.Problems)
        {
            diagnosis.Error("POL001", problem.Source, SettingProblems.EvidenceOf(problem), problem.Fix);
        }

        return Task.CompletedTask;
    }
}
