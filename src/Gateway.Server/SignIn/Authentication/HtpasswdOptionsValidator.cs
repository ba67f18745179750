using System.Globalization;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>Rules of the <c>authentication.htpasswd</c> section. What the file holds is for its loader.</summary>
internal static class HtpasswdOptionsValidator
{
    /// <summary>Reports what is wrong.</summary>
    public static void Validate(HtpasswdOptions options, SettingScope scope)
    {
        var minimum = scope.At(nameof(options.MinimumCost));
        var maximum = scope.At(nameof(options.MaximumCost));
        minimum.CheckRange(options.MinimumCost, 4, 14);
        maximum.CheckRange(options.MaximumCost, 8, 16);
        if (options.MaximumLossPercent is { } loss)
        {
            scope.At(nameof(options.MaximumLossPercent)).CheckRange(loss, 0, 99);
        }

        if (options.MinimumCost > options.MaximumCost && !maximum.IsBroken)
        {
            minimum.Report(
                string.Create(CultureInfo.InvariantCulture, $"is above maximumCost, which is {options.MaximumCost}"),
                "Lower it, or raise maximumCost.");
        }
    }
}
