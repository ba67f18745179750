namespace Gateway.Doctor.Client;

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
        (string Area, string Subject, Func<ClientVisit, CancellationToken, Task<bool>> Step)[] steps =
        [
            ("DCK", "the files of docker, podman and containerd", ClientFiles.LookAsync),
            ("PRX", "proxies", ProxyStep.LookAsync),
            ("NET", "the name and its addresses", NameStep.LookAsync),
            ("TLS", "the certificate", TlsStep.LookAsync),
            ("CHL", "the challenge", ChallengeStep.LookAsync),
            ("UPL", "what lies in between", BetweenStep.LookAsync),
            ("COR", "web pages", CorsStep.LookAsync),
            ("TKN", "tokens and rights", TokenStep.LookAsync),
        ];
        var isOpen = true;
        foreach (var (area, subject, step) in steps)
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
                diagnosis.NotRun(area, subject, $"the whole was not done within {DoctorText.Span(Longest)}");
                isOpen = false;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                diagnosis.NotRun(area, subject, $"it broke off: {DoctorText.Of(exception)}");
            }
        }

        return diagnosis;
    }
}
