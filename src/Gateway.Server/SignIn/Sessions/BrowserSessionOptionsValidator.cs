using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.Sessions;

/// <summary>Rules of the <c>authentication.sessions</c> section.</summary>
internal static class BrowserSessionOptionsValidator
{
    /// <summary>Reports what is wrong.</summary>
    public static void Validate(BrowserSessionOptions options, SettingScope scope)
    {
        scope.At(nameof(options.IdleTimeout)).CheckRange(
            options.IdleTimeout, TimeSpan.FromMinutes(5), TimeSpan.FromDays(30));
        scope.At(nameof(options.Lifetime)).CheckRange(options.Lifetime, TimeSpan.FromMinutes(5), TimeSpan.FromDays(30));
    }
}
