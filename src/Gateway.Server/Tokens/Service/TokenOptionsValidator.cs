using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Tokens.Service;

/// <summary>Rules of the <c>tokens</c> section.</summary>
internal static class TokenOptionsValidator
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(TokenOptions options, SettingScope scope)
    {
        scope.At(nameof(options.Lifetime)).CheckRange(
            options.Lifetime, TimeSpan.FromMinutes(1), TokenOptions.LongestLifetime);
        scope.At(nameof(options.RefreshTokenLifetime))
            .CheckRange(options.RefreshTokenLifetime, Hour, TimeSpan.FromDays(365));
        scope.At(nameof(options.UploadWindow)).CheckRange(
            options.UploadWindow, TimeSpan.Zero, TokenOptions.LongestUploadWindow);
        CheckCredentialLifetimes(options, scope);
        CheckAdministrators(options.Administrators, scope.At(nameof(options.Administrators)));
    }

    private static void CheckCredentialLifetimes(TokenOptions options, SettingScope scope)
    {
        var maximum = scope.At(nameof(options.MaximumCredentialLifetime));
        var most = TimeSpan.FromDays(3650);
        maximum.CheckRange(options.MaximumCredentialLifetime, Hour, most);
        // Against the maximum only where that can be read and is valid itself.
        var isMaximum = !maximum.IsBroken && options.MaximumCredentialLifetime >= Hour
            && options.MaximumCredentialLifetime <= most;
        scope.At(nameof(options.DefaultCredentialLifetime)).CheckRange(
            options.DefaultCredentialLifetime, Hour, isMaximum ? options.MaximumCredentialLifetime : most);
    }

    private static void CheckAdministrators(List<string> administrators, SettingScope scope)
    {
        for (var i = 0; i < administrators.Count; i++)
        {
            if (!SubjectSelector.TryParse(administrators[i], out var selector))
            {
                scope.At(i).Report("names no subject", "Write it as in policies: user:NAME, group:NAME or robot:NAME.");
            }
            else if (selector.Kind is not (SubjectSelectorKind.User or SubjectSelectorKind.Group
                or SubjectSelectorKind.Robot))
            {
                scope.At(i).Report(
                    "would let anyone revoke everyone's tokens",
                    "Name the users or groups: user:NAME, group:NAME.");
            }
        }
    }
}
