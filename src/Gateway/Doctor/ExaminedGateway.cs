using System.Security.Cryptography.X509Certificates;
using Gateway.Server.Host.Configuration;

namespace Gateway.Doctor;

/// <summary>The gateway that is checked.</summary>
/// <param name="Options">Its configuration, as a start would read it.</param>
/// <param name="Time">The clock.</param>
internal sealed record ExaminedGateway(GatewayOptions Options, TimeProvider Time)
{
    /// <summary>
    /// The authorities that its clients trust in addition to the system's, where the operator named them.
    /// </summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Whether an upload may be started and cancelled at the upstreams.</summary>
    public bool MayProbeUploads { get; init; }

    /// <summary>
    /// Whether the doctor runs in a container, which often cannot connect in the way that clients do.
    /// </summary>
    public bool IsInContainer { get; init; }
}
