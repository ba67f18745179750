using Gateway.Foundation.Configuration;

namespace Gateway.Server.Store.State;

/// <summary>Rules of the <c>state</c> section.</summary>
internal static class StateOptionsValidator
{
    /// <summary>Reports what is wrong.</summary>
    /// <param name="options">The section.</param>
    /// <param name="hasRedis">Whether there is a section <c>redis</c>.</param>
    /// <param name="scope">Where the section is.</param>
    public static void Validate(StateOptions options, bool hasRedis, SettingScope scope)
    {
        if (options.Store == StateStoreKind.Redis && !hasRedis)
        {
            scope.At(nameof(options.Store)).Report(
                "is redis, but there is no section redis",
                "Add the section, for example redis: { server: \"redis:6379\" }, or set it to sqlite.");
        }
    }
}
