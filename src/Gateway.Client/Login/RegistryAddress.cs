using Gateway.Foundation.Configuration;

namespace Gateway.Client.Login;

/// <summary>A registry as people name it: <c>registry.example.com</c>, <c>https://localhost:8443/</c>.</summary>
internal static class RegistryAddress
{
    /// <summary>The registry as docker names it, without scheme and path.</summary>
    /// <exception cref="ProblemException">The text is not a registry.</exception>
    public static string Parse(string text)
    {
        var name = text.Trim();
        name = name.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? name["https://".Length..] : name;
        name = name.TrimEnd('/');
        return HostName.TryParse(name, out _) && !text.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            ? name.ToLowerInvariant()
            : throw new ProblemException(new Problem(
                "REGISTRY", "this is not a registry", text,
                "Write its host, with the port if it is not 443: registry.example.com."));
    }
}
