using Gateway.Foundation.Configuration;

namespace Gateway.Server.Store.Keys;

/// <summary>Rules of the <c>tokens.keys</c> section. What the files hold is for <see cref="KeyFolder"/>.</summary>
internal static class SigningKeyOptionsValidator
{
    private const int ShortestPassword = 16;

    /// <summary>Reports what is wrong.</summary>
    /// <param name="options">The section.</param>
    /// <param name="hasRedis">Whether there is a section <c>redis</c>.</param>
    /// <param name="scope">Where the section is.</param>
    public static void Validate(SigningKeyOptions options, bool hasRedis, SettingScope scope)
    {
        if (options.RotateAfter != TimeSpan.Zero)
        {
            scope.At(nameof(options.RotateAfter))
                .CheckRange(options.RotateAfter, TimeSpan.FromDays(1), TimeSpan.FromDays(3650));
        }

        var store = scope.At(nameof(options.Store));
        if (store.IsBroken)
        {
            return;
        }

        var password = scope.At(nameof(options.Password));
        if (options.Store == SigningKeyStoreKind.Folder)
        {
            if (options.Password is not null)
            {
                password.Report(
                    "has no effect, since the keys are in a folder",
                    "Remove it, or set tokens.keys.store to redis; file permissions protect the files.");
            }

            return;
        }

        if (!hasRedis)
        {
            store.Report("requires the section redis, which is missing", "Add it: redis: { server: \"redis:6379\" }.");
        }

        if (options.Folder is not null)
        {
            scope.At(nameof(options.Folder)).Report("has no effect, since the keys are in Redis", "Remove it.");
        }

        if (options.Password is null)
        {
            store.Report(
                "requires a password to encrypt the keys",
                "Set tokens.keys.passwordFile, with the same password for all replicas.");
        }
        else if (options.Password.Length < ShortestPassword)
        {
            // Anyone who gets a copy of Redis can guess for as long as they like, and a key signs for everyone.
            password.Report(
                $"is shorter than {ShortestPassword} characters", "Generate one: openssl rand -base64 32.");
        }
    }
}
