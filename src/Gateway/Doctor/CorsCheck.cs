using Gateway.Client.Doctor;

namespace Gateway.Doctor;

/// <summary>CORS settings that contradict themselves or what a page needs.</summary>
internal sealed class CorsCheck : IServerCheck
{
    private static readonly string[] Needed = ["WWW-Authenticate", "Docker-Content-Digest", "Link"];

    /// <inheritdoc/>
    public string Area => "COR";

    /// <inheritdoc/>
    public string Subject => "cors";

    /// <inheritdoc/>
    public Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var cors = examined.Options.Cors;
        if (cors.Origins.Count == 0)
        {
            if (cors.Credentials)
            {
                diagnosis.Warn(
                    "COR001", "cors.credentials",
                    "it is true, but no origin is named, so no page may use the registry");
            }

            return Task.CompletedTask;
        }

        if (cors.Credentials
            && cors.Origins.Find(
                static origin => origin.StartsWith("http://", StringComparison.Ordinal)
                    && !origin.StartsWith("http://localhost", StringComparison.Ordinal)
                    && !origin.StartsWith("http://127.", StringComparison.Ordinal)) is { } plain)
        {
            diagnosis.Error(
                "COR002", "cors.origins",
                $"{plain} is not https, and with cors.credentials its scripts can use people's sign-ins",
                $"https{plain[4..]}");
        }

        if (!cors.Credentials && !cors.Headers.Contains("Authorization", StringComparer.OrdinalIgnoreCase))
        {
            diagnosis.Warn(
                "COR003", "cors.headers", "Authorization is not listed, so no page can send a token",
                "Add Authorization");
        }

        foreach (var needed in Needed.Except(cors.ExposedHeaders, StringComparer.OrdinalIgnoreCase))
        {
            diagnosis.Warn(
                "COR003", "cors.exposedHeaders", $"{needed} is not listed, so no page can read it", $"Add {needed}");
        }

        if (!cors.Methods.Contains("GET"))
        {
            diagnosis.Warn("COR003", "cors.methods", "GET is not listed", "Add GET");
        }

        var own = examined.Options.PublicUrl!.GetLeftPart(UriPartial.Authority);
        if (cors.Origins.Contains(own))
        {
            diagnosis.Inform("COR004", "cors.origins", $"{own} is the gateway's own origin, which needs no entry");
        }

        if (!diagnosis.Has(Area))
        {
            diagnosis.Pass(Area, Subject, $"pages of {string.Join(", ", cors.Origins)} may use the registry");
        }

        return Task.CompletedTask;
    }
}
