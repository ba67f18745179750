using Gateway.Client.Doctor;

namespace Gateway.Doctor;

/// <summary>Lifetimes of tokens that break clients.</summary>
internal sealed class TokenCheck : IServerCheck
{
    // containerd and buildkit renew a token shortly before it expires; docker assumes a lifetime of at least 60 s.
    private static readonly TimeSpan ShortestUseful = TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    public string Area => "TOK";

    /// <inheritdoc/>
    public string Subject => "tokens";

    /// <inheritdoc/>
    public Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var tokens = examined.Options.Tokens;
        if (tokens.Lifetime < ShortestUseful)
        {
            diagnosis.Warn("TOK001", "tokens.lifetime", DoctorText.Span(tokens.Lifetime), "tokens.lifetime: 5m");
        }

        if (tokens.UploadWindow < TimeSpan.FromMinutes(10))
        {
            diagnosis.Warn(
                "TOK002", "tokens.uploadWindow",
                $"{DoctorText.Span(tokens.UploadWindow)}: an upload that takes longer than that, and longer than its "
                    + "token is valid, is refused at its end", "tokens.uploadWindow: 6h");
        }

        if (!diagnosis.Has(Area))
        {
            diagnosis.Pass(
                Area, Subject, $"access tokens are valid for {DoctorText.Span(tokens.Lifetime)}; uploads may continue "
                    + $"for {DoctorText.Span(tokens.UploadWindow)}");
        }

        return Task.CompletedTask;
    }
}
