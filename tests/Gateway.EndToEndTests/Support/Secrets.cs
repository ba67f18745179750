using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.EndToEndTests.Support;

/// <summary>
/// The credentials that the tests know, and the forms of those that are made while they run. Whatever a gateway writes
/// during the whole run is searched for them when it stops.
/// </summary>
internal static partial class Secrets
{
    // Shorter ones stand in other words.
    private const int Shortest = 8;

    private static readonly ConcurrentDictionary<string, byte> Known = [];

    /// <summary>Remembers a secret.</summary>
    public static void Know(string secret)
    {
        if (secret.Length >= Shortest)
        {
            Known[secret] = 0;
            Known[Uri.EscapeDataString(secret)] = 0;
        }
    }

    /// <summary>Remembers a user's password, alone and as Basic credentials hold it.</summary>
    public static void Know(string user, string password)
    {
        Know(password);
        Know(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
    }

    /// <summary>What of a text is a secret, or <see langword="null"/>.</summary>
    public static string? FindIn(string text) =>
        Known.Keys.FirstOrDefault(secret => text.Contains(secret, StringComparison.Ordinal))
        ?? Form().Match(text) switch
        {
            { Success: true } match => match.Value,
            _ => null,
        };

    /// <summary>Fails where something that a gateway wrote holds a secret.</summary>
    /// <param name="text">All that it wrote.</param>
    public static void AssertNotIn(string text)
    {
        if (FindIn(text) is { } secret)
        {
            var line = text.Split('\n').First(line => line.Contains(secret.Split('\n')[0], StringComparison.Ordinal));
            Assert.Fail($"the gateway wrote a credential: {line}");
        }
    }

    // Issued tokens, JSON Web Tokens, Authorization headers, upload tickets, keys, password hashes.
    [GeneratedRegex(
        @"\brg[prfw]_[0-9A-Za-z]{16,}|\beyJ[\w-]{10,}\.[\w-]{10,}|\b(?:Basic|Bearer) [\w+/.=-]{12,}|_ticket=\w|-----BEGIN [A-Z ]*PRIVATE KEY|\$2[aby]\$\d\d\$",
        RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
