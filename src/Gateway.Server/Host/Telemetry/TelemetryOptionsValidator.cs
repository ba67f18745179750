using System.Buffers;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Host.Telemetry;

/// <summary>Rules of the <c>telemetry</c> section.</summary>
internal static class TelemetryOptionsValidator
{
    private static readonly SearchValues<char> HeaderName =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(TelemetryOptions options, SettingScope scope)
    {
        if (options.Otlp is not { } otlp)
        {
            return;
        }

        var section = scope.At(nameof(options.Otlp));
        if (otlp.Endpoint is { } endpoint)
        {
            CheckEndpoint(endpoint, section.At(nameof(otlp.Endpoint)));
        }

        if (otlp.Headers is { } headers && !AreHeaders(headers))
        {
            section.At(nameof(otlp.Headers)).Report(
                "is not a list of headers",
                "Write name=value on one line, separated by commas; write a comma in a value as %2C.");
        }

        section.At(nameof(otlp.MetricsInterval))
            .CheckRange(otlp.MetricsInterval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        section.At(nameof(otlp.TracedPercent)).CheckRange(otlp.TracedPercent, 0, 100);
    }

    private static void CheckEndpoint(Uri endpoint, SettingScope scope)
    {
        if (endpoint.UserInfo.Length > 0)
        {
            scope.Report("holds a user name or password",
                "Put the collector's credentials into telemetry.otlp.headersFile.");
        }

        if (endpoint.OriginalString.AsSpan().ContainsAny('?', '#'))
        {
            scope.Report("has a query or fragment", "Remove it, beginning with the \"?\" or \"#\".");
        }
    }

    private static bool AreHeaders(string headers) => headers.Split(',').All(static header =>
    {
        var equals = header.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? default : header.AsSpan(0, equals).Trim(' ');
        return name.Length > 0 && !name.ContainsAnyExcept(HeaderName)
            && !header.AsSpan(equals + 1).ContainsAnyExceptInRange(' ', '~');
    });
}
