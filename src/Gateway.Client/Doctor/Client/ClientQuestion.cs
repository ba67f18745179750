using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Client.Doctor.Client;

/// <summary>What to check from a client's side.</summary>
/// <param name="Url">The registry: scheme, host and port.</param>
internal sealed record ClientQuestion(Uri Url)
{
    /// <summary>Authorities to trust in addition to the system's.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>The user to sign in as; <see langword="null"/>: none.</summary>
    public string? User { get; init; }

    /// <summary>The user's password or token.</summary>
    public string? Password { get; init; }

    /// <summary>The repository to check.</summary>
    public string? Repository { get; init; }

    /// <summary>The origin of web pages that use the registry.</summary>
    public string? Origin { get; init; }

    /// <summary>Whether an upload may be started and cancelled.</summary>
    public bool MayProbeUploads { get; init; }

    /// <summary>The machine that the clients run on.</summary>
    public required ClientMachine Machine { get; init; }

    /// <summary>The host as in certificates and DNS.</summary>
    public string Host => Url.IdnHost.Trim('[', ']');

    /// <summary>The registry as clients' files name it: <c>registry.example.com</c>, <c>localhost:8443</c>.</summary>
    public string Name => Url.Authority;

    /// <summary>Whether it is on this machine's own loopback.</summary>
    public bool IsLoopback =>
        Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));
}
