using System.Security.Cryptography;

namespace Gateway.Server.Store.State;

/// <summary>The public names of credentials, in lists, URLs, logs and access tokens. They are no secret.</summary>
internal static class CredentialId
{
    // Lower case only, and without i, l, o and u: read aloud and typed over from a log without a slip.
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int Length = 12;

    /// <summary>
    /// A new id. 60 random bits: two alike are not to be expected among millions, and stores refuse the second.
    /// </summary>
    public static string Create() => RandomNumberGenerator.GetString(Alphabet, Length);
}
