namespace Gateway.Client.Doctor.Client;

/// <summary>
/// Does what docker, podman and containerd do with a registry, step by step, and reports what fails. Works with any
/// registry.
/// </summary>
internal static class ClientDoctor
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(90);

    /// <summary>Runs all steps.</summary>
    public static async Task<Diagnosis> ExamineAsync(
        ClientQuestion question, TimeProvider time, CancellationToken cancellationToken)
    {
        var diagnosis = new Diagnosis();
        using var visit = new ClientVisit(question, time, diagnosis);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Longest);

        // Each step builds on the one before; where one fails, the later ones are reported as not run.
        (string Area, string Subject, bool IsNeeded, Func<ClientVisit, CancellationToken, Task<bool>> Step)[] steps =
        [
            ("DCK", "the files of docker, podman and containerd", false, ClientFiles.LookAsync),
            ("PRX", "proxies", true, ProxyStep.LookAsync),
            ("NET", "the name and its addresses", true, NameStep.LookAsync),
            ("TLS", "the certificate", true, TlsStep.LookAsync),
            ("CHL", "the challenge", true, ChallengeStep.LookAsync),
            ("UPL", "machines in between", false, BetweenStep.LookAsync),
            ("COR", "web pages", false, CorsStep.LookAsync),
            ("TKN", "tokens and rights", false, TokenStep.LookAsync),
        ];
        var isOpen = true;
        foreach (var (area, subject, isNeeded, step) in steps)
        {
            if (!isOpen)
            {
                diagnosis.NotRun(area, subject, "an earlier step failed");
                continue;
            }

            try
            {
                isOpen = await step(visit, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                diagnosis.NotRun(
                    area, subject,
                    limit.IsCancellationRequested
                        ? $"the doctor did not finish within {DoctorText.Span(Longest)}"
                        : "there was no answer in time");
                isOpen = !isNeeded && !limit.IsCancellationRequested;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // The result that later steps rely on is missing: they must not conclude anything from that.
                diagnosis.NotRun(area, subject, $"the check failed: {DoctorText.Of(exception)}");
                isOpen = !isNeeded;
            }
        }

        foreach (var (path, reason) in question.Machine.Unread)
        {
            diagnosis.NotRun("DCK", path, reason);
        }

        return diagnosis;
    }
}
