using Gateway.Client.Doctor;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;

namespace Gateway.Doctor;

/// <summary>Checks a gateway from its own side: every file, dependency and rule, live.</summary>
internal static class ServerDoctor
{
    // Each check has budgets of its own; this limit is for what hangs anyway.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private static readonly IServerCheck[] Checks =
    [
        new FileCheck(),
        new CertificateCheck(),
        new HtpasswdCheck(),
        new PolicyFileCheck(),
        new StateCheck(),
        new KeyCheck(),
        new MachineCheck(),
        new RunningFilesCheck(),
        new ListenerCheck(),
        new PublicUrlCheck(),
        new UpstreamCheck(),
        new RedisCheck(),
        new IssuerCheck(),
        new LdapCheck(),
        new PolicyCheck(),
        new LimitCheck(),
        new CorsCheck(),
        new TokenCheck(),
        new StartCheck(),
    ];

    /// <summary>Reads a configuration and checks everything that it names.</summary>
    public static async Task<Diagnosis> ExamineAsync(
        string path, IReadOnlyDictionary<string, string> environment, Func<GatewayOptions, ExaminedGateway> admit,
        CancellationToken cancellationToken)
    {
        var diagnosis = new Diagnosis();
        GatewayOptions options;
        try
        {
            options = ConfigurationLoader.Load(path, environment);
        }
        catch (ProblemException exception)
        {
            foreach (var problem in exception.Problems)
            {
                diagnosis.Error(
                    SettingProblems.IdOf(problem), problem.Source, SettingProblems.EvidenceOf(problem), problem.Fix);
            }

            diagnosis.NotRun(
                "CFG", "everything else", "the configuration cannot be used, so nothing that it names was checked");
            return diagnosis;
        }

        diagnosis.Pass("CFG", path, "all settings are valid");
        await ExamineAsync(admit(options), diagnosis, cancellationToken);
        return diagnosis;
    }

    private static async Task ExamineAsync(
        ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        foreach (var check in Checks)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Longest);
            try
            {
                await check.RunAsync(examined, diagnosis, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                diagnosis.NotRun(
                    check.Area, check.Subject, $"the check did not finish within {DoctorText.Span(Longest)}");
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                diagnosis.NotRun(check.Area, check.Subject, $"the check failed: {DoctorText.Of(exception)}");
            }
        }
    }
}
