using System.Security.Cryptography.X509Certificates;
using Gateway.Server.Host.Configuration;

namespace Gateway.Doctor;

/// <summary>The gateway that is looked at.</summary>
/// <param name="Options">Its configuration, as a start would read it.</param>
/// <param name="Time">The clock.</param>
internal sealed record ExaminedGateway(GatewayOptions Options, TimeProvider Time)
{
    /// <summary>The authorities that its clients trust besides the system's, where the operator named them.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Whether an upload may be begun and cancelled at the upstreams.</summary>
    public bool MayProbeUploads { get; init; }

    /// <summary>Whether the doctor runs in a container, from which the way that clients come is often not there.</summary>
    public bool IsInContainer { get; init; }
}
