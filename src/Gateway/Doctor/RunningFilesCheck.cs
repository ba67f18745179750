using Gateway.Client.Doctor;
using Gateway.Server.Host.Control;

namespace Gateway.Doctor;

/// <summary>Files that the running gateway refused, and why: only it knows what is in force.</summary>
internal sealed class RunningFilesCheck : IServerCheck
{
    private const int MostTold = 20;

    /// <inheritdoc/>
    public string Area => "RUN";

    /// <inheritdoc/>
    public string Subject => "the files in force";

    /// <inheritdoc/>
    public async Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        if (await RunningFiles.ReadAsync(examined.Options, cancellationToken) is not { } report)
        {
            return; // it does not run here, or not as this user; ListenerCheck asks in another way
        }

        foreach (var files in report.Files)
        {
            foreach (var problem in files.Problems.Take(MostTold))
            {
                diagnosis.Warn(
                    "RUN001", files.Name,
                    $"the running gateway uses the version of {DoctorText.At(files.LoadedAt)}: {problem}");
            }
        }
    }
}
