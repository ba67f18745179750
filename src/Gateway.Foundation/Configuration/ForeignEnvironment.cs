namespace Gateway.Foundation.Configuration;

/// <summary>
/// Variables of the web framework that would change the gateway despite its configuration. The gateway does not start
/// with them.
/// </summary>
/// <remarks>
/// <c>ASPNETCORE_HTTP_PORTS</c> and <c>ASPNETCORE_HTTPS_PORTS</c> are ignored: .NET's own container images set the
/// former, and the gateway never reads either.
/// </remarks>
internal static class ForeignEnvironment
{
    private static readonly string[] FrameworkPrefixes = ["ASPNETCORE_", "DOTNET_", ""];

    /// <summary>Reports each such variable, whatever its value.</summary>
    public static void Check(IReadOnlyDictionary<string, string> environment, ProblemCollector problems)
    {
        foreach (var variable in environment.Keys)
        {
            // The framework reads its settings with either prefix and with none, in any case.
            var prefix = FrameworkPrefixes.First(
                prefix => variable.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
            var name = variable[prefix.Length..];
            var position = SourcePosition.OfEnvironment(variable);
            if (name.Equals("FORWARDEDHEADERS_ENABLED", StringComparison.OrdinalIgnoreCase))
            {
                // It empties the lists of trusted proxies, so that any client can choose its own address.
                problems.Add(
                    position,
                    "would make the gateway trust the X-Forwarded-For of every client",
                    null,
                    "Remove it, and name your load balancers in trustedProxies.");
            }
            else if (name.StartsWith("KESTREL__", StringComparison.OrdinalIgnoreCase)
                || (prefix.Length > 0 && name.Equals("URLS", StringComparison.OrdinalIgnoreCase)))
            {
                problems.Add(
                    position,
                    "does not set the addresses on which the gateway listens",
                    null,
                    "Remove it, and set listen.https (GATEWAY__Listen__Https).");
            }
        }
    }
}
