namespace Gateway.Core.Tokens;

/// <summary>What a gateway and its client agree on to authorize a device (RFC 8628).</summary>
public static class DeviceAuthorization
{
    /// <summary>Where a device asks for its code.</summary>
    public const string CodePath = "/device/code";

    /// <summary>Where it asks whether somebody authorized it.</summary>
    public const string TokenPath = "/device/token";

    /// <summary>What a device's code begins with.</summary>
    public const string DeviceCodePrefix = "rgd.";

    /// <summary>How long a person has.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>How long a device waits between two questions.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
}
