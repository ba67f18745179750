using Gateway.Client.Doctor;
using Gateway.Server.Host.Configuration;

namespace Gateway.Doctor;

/// <summary>Last: whether a start would succeed, by the very list that a start goes through.</summary>
internal sealed class StartCheck : IServerCheck
{
    /// <inheritdoc/>
    public string Area => "CFG";

    /// <inheritdoc/>
    public string Subject => "a start";

    /// <inheritdoc/>
    public Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var problems = ConfigurationCheck.Run(examined.Options);
        if (problems.Count == 0)
        {
            diagnosis.Pass(Area, Subject, "everything that a start reads is usable");
        }
        else if (!diagnosis.Has("", Severity.Error))
        {
            foreach (var problem in problems)
            {
                diagnosis.Error("CFG002", problem.Source, SettingProblems.EvidenceOf(problem), problem.Fix);
            }
        }

        else
        {
            diagnosis.Inform(
                Area, Subject,
                $"a start would fail with {DoctorText.Count(problems.Count, "problem")}; fix the errors first");
        }

        return Task.CompletedTask;
    }
}
