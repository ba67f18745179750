using System.Collections;

namespace Gateway.Foundation.Configuration;

/// <summary>The environment of this process.</summary>
internal static class ProcessEnvironment
{
    /// <summary>Every variable, by its name.</summary>
    public static IReadOnlyDictionary<string, string> Read() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(
            static variable => (string)variable.Key,
            static variable => (string?)variable.Value ?? "",
            StringComparer.Ordinal);
}
