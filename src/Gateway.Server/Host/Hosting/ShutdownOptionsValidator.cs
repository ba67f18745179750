using Gateway.Foundation.Configuration;

namespace Gateway.Server.Host.Hosting;

/// <summary>Rules of the <c>shutdown</c> section.</summary>
internal static class ShutdownOptionsValidator
{
    /// <summary>Reports what is wrong.</summary>
    public static void Validate(ShutdownOptions options, SettingScope scope)
    {
        scope.At(nameof(options.Delay)).CheckRange(options.Delay, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        scope.At(nameof(options.Drain)).CheckRange(options.Drain, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24));
    }
}
