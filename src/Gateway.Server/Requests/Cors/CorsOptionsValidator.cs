using System.Buffers;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Requests.Cors;

/// <summary>Rules of the <c>cors</c> section.</summary>
internal static class CorsOptionsValidator
{
    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create(
        // RFC 9110, section 5.6.2, but "*"
        "!#$%&'+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

    /// <summary>Reports what is wrong.</summary>
    public static void Validate(CorsOptions options, SettingScope scope)
    {
        CheckOrigins(options, scope.At(nameof(options.Origins)));
        var methods = scope.At(nameof(options.Methods));
        for (var i = 0; i < options.Methods.Count; i++)
        {
            if (!Methods.Contains(options.Methods[i]))
            {
                methods.At(i).Report(
                    "is not a method of the registry API", $"Write some of {string.Join(", ", Methods)}, in capitals.");
            }
        }

        CheckHeaders(options.Headers, scope.At(nameof(options.Headers)));
        CheckHeaders(options.ExposedHeaders, scope.At(nameof(options.ExposedHeaders)));
        scope.At(nameof(options.MaxAge)).CheckRange(options.MaxAge, TimeSpan.Zero, TimeSpan.FromDays(1));
    }

    private static void CheckOrigins(CorsOptions options, SettingScope scope)
    {
        for (var i = 0; i < options.Origins.Count; i++)
        {
            if (options.Origins[i] != AllowedOrigins.Every)
            {
                if (!AllowedOrigin.TryParse(options.Origins[i], out _, out var what, out var fix))
                {
                    scope.At(i).Report(what, fix);
                }
            }
            else if (options.Credentials)
            {
                // Fetch standard, "CORS protocol and credentials": browsers refuse the pair, and echoing whatever
                // origin asks instead would let any page act as its visitors.
                scope.At(i).Report(
                    "is set together with cors.credentials: every page on the web could act as its visitors",
                    "Name the allowed origins, or set cors.credentials to false.");
            }
            else if (options.Origins.Count > 1)
            {
                scope.At(i).Report("allows every origin, so the other items have no effect",
                    "Remove the other items, or remove this one.");
            }
        }
    }

    private static void CheckHeaders(List<string> names, SettingScope scope)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] == "*")
            {
                scope.At(i).Report(
                    "does not include Authorization, and matches nothing where credentials are sent",
                    "Name each header.");
            }
            else if (names[i].Length == 0 || names[i].AsSpan().ContainsAnyExcept(TokenCharacters))
            {
                scope.At(i).Report("is not the name of a header", "Write the name alone, for example \"Accept\".");
            }
        }
    }
}
