using Gateway.Client.Doctor;

namespace Gateway.Doctor;

/// <summary>Lives of tokens that break clients.</summary>
internal sealed class TokenCheck : IServerCheck
{
    // containerd and buildkit renew a token shortly before its end, docker takes 60 s for the least there is.
    private static readonly TimeSpan ShortestUseful = TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    public string Area => "TOK";

    /// <inheritdoc/>
    public string Subject => "tokens";

    /// <inheritdoc/>
    public Task RunAsync(ExaminedGateway patient, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var tokens = patient.Options.Tokens;
        if (tokens.Lifetime < ShortestUseful)
        {
            diagnosis.Warn("TOK001", "tokens.lifetime", DoctorText.Span(tokens.Lifetime), "tokens.lifetime: 5m");
        }

        if (tokens.UploadWindow < TimeSpan.FromMinutes(10))
        {
            diagnosis.Warn("TOK002", "tokens.uploadWindow", $"{DoctorText.Span(tokens.UploadWindow)}: an upload that takes longer than the token's life breaks off", "tokens.uploadWindow: 6h");
        }

        if (!diagnosis.Has(Area))
        {
            diagnosis.Pass(Area, Subject, $"access tokens live {DoctorText.Span(tokens.Lifetime)}, uploads may go on for {DoctorText.Span(tokens.UploadWindow)}");
        }

        return Task.CompletedTask;
    }
}
