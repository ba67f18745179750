using Gateway.Foundation.Configuration;

namespace Gateway.Server.Records.Audit;

/// <summary>The words of the schema for the program's own choices: <c>readManifest</c>, <c>accessToken</c>.</summary>
internal static class AuditNames
{
    /// <summary>The word for a value.</summary>
    public static string Of<T>(T value)
        where T : struct, Enum => Names<T>.All[value];

    private static class Names<T>
        where T : struct, Enum
    {
        public static readonly Dictionary<T, string> All =
            Enum.GetValues<T>().ToDictionary(
                static value => value, static value => SettingText.KeyOf(value.ToString()));
    }
}
