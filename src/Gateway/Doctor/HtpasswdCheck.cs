using Gateway.Client.Doctor;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Rotation;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Doctor;

/// <summary>The htpasswd file: lines that cannot be used, duplicate names, hashes below the current cost.</summary>
internal sealed class HtpasswdCheck : IServerCheck
{
    private const int MostTold = 20;

    /// <inheritdoc/>
    public string Area => "HTP";

    /// <inheritdoc/>
    public string Subject => "the htpasswd file";

    /// <inheritdoc/>
    public Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        if (examined.Options.Authentication.Htpasswd is not { } options
            || diagnosis.Findings.Any(finding => finding.Id == "FIL002" && finding.Subject == options.File))
        {
            return Task.CompletedTask;
        }

        try
        {
            var file = HtpasswdFile.Load(options);
            if (file.Count == 0)
            {
                diagnosis.Warn("HTP004", options.File, "no line names a user");
            }

            if (file.HasOpenLine)
            {
                diagnosis.Warn("HTP005", options.File, HtpasswdReplacement.OpenLine(options.File).What);
            }

            var old = file.Names.Where(name => RotationRules.IsDue(file.Find(name)!))
                .Order(StringComparer.Ordinal)
                .ToList();
            if (old.Count > 0)
            {
                diagnosis.Warn(
                    "HTP002", options.File,
                    $"{old.Count} of {DoctorText.Count(file.Count, "user")}: {string.Join(", ", old.Take(MostTold))}"
                        + $"{(old.Count > MostTold ? ", …" : "")}");
            }
            else if (file.Count > 0 && !file.HasOpenLine)
            {
                diagnosis.Pass(
                    Area, options.File, $"{DoctorText.Count(file.Count, "user")}, all hashes at the current cost");
            }
        }
        catch (ProblemException exception)
        {
            foreach (var problem in exception.Problems.Take(MostTold))
            {
                diagnosis.Error(IdOf(problem), problem.Source, SettingProblems.EvidenceOf(problem), problem.Fix);
            }
        }

        return Task.CompletedTask;
    }

    private static string IdOf(Problem problem) => problem.Kind switch
    {
        ProblemKind.Duplicate => "HTP003",
        ProblemKind.FileUnavailable => "FIL002",
        _ => "HTP001",
    };
}
