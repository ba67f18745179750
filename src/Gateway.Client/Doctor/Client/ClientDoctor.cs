namespace Gateway.Client.Doctor.Client;

/// <summary>Walks the way that docker, podman and containerd walk to a registry, and says where it ends. Any registry will do.</summary>
internal static class ClientDoctor
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(90);

    /// <summary>Looks.</summary>
    public static async Task<Diagnosis> ExamineAsync(ClientQuestion question, TimeProvider time, CancellationToken cancellationToken)
    {
        var diagnosis = new Diagnosis();
        using var visit = new ClientVisit(question, time, diagnosis);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Longest);

        // Each step is given what the one before found out; where one fails, those behind it could not run, and say so.
        (string Area, string Subject, bool IsNeeded, Func<ClientVisit, CancellationToken, Task<bool>> Step)[] steps =
        [
            ("DCK", "the files of docker, podman and containerd", false, ClientFiles.LookAsync),
            ("PRX", "proxies", true, ProxyStep.LookAsync),
            ("NET", "the name and its addresses", true, NameStep.LookAsync),
            ("TLS", "the certificate", true, TlsStep.LookAsync),
            ("CHL", "the challenge", true, ChallengeStep.LookAsync),
            ("UPL", "what lies in between", false, BetweenStep.LookAsync),
            ("COR", "web pages", false, CorsStep.LookAsync),
            ("TKN", "tokens and rights", false, TokenStep.LookAsync),
        ];
        var isOpen = true;
        foreach (var (area, subject, isNeeded, step) in steps)
        {
            if (!isOpen)
            {
                diagnosis.NotRun(area, subject, "what comes before it failed");
                continue;
            }

            try
            {
                isOpen = await step(visit, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                diagnosis.NotRun(area, subject, limit.IsCancellationRequested ? $"the whole was not done within {DoctorText.Span(Longest)}" : "there was no answer in time");
                isOpen = !isNeeded && !limit.IsCancellationRequested;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                // What the others rely on was not found out: they must not conclude anything from that.
                diagnosis.NotRun(area, subject, $"it broke off: {DoctorText.Of(exception)}");
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
