namespace Gateway.Foundation.Certificates;

/// <summary>When a certificate counts as about to expire.</summary>
internal static class CertificateExpiry
{
    private static readonly TimeSpan LongestNotice = TimeSpan.FromDays(21);

    /// <summary>
    /// Whether a certificate is about to expire: three weeks, or the last quarter of a shorter lifetime.
    /// </summary>
    public static bool IsNear(DateTimeOffset begin, DateTimeOffset end, DateTimeOffset now)
    {
        var quarter = (end - begin) / 4;
        return end - now < (quarter < LongestNotice ? quarter : LongestNotice);
    }
}
