using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Client.Doctor.Client;

/// <summary>What to look at from a client's side.</summary>
/// <param name="Url">The registry: scheme, host and port.</param>
internal sealed record ClientQuestion(Uri Url)
{
    /// <summary>Authorities to trust besides the system's.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Whom to sign in; <see langword="null"/>: nobody.</summary>
    public string? User { get; init; }

    /// <summary>His password or token.</summary>
    public string? Password { get; init; }

    /// <summary>The repository that something is to be done with.</summary>
    public string? Repository { get; init; }

    /// <summary>The origin of web pages that are to use it.</summary>
    public string? Origin { get; init; }

    /// <summary>Whether an upload may be begun and cancelled.</summary>
    public bool MayProbeUploads { get; init; }

    /// <summary>The machine that the clients run on.</summary>
    public required ClientMachine Machine { get; init; }

    /// <summary>The host as certificates and DNS have it.</summary>
    public string Host => Url.IdnHost.Trim('[', ']');

    /// <summary>The registry as clients' files name it: <c>registry.example.com</c>, <c>localhost:8443</c>.</summary>
    public string Name => Url.Authority;

    /// <summary>Whether it is on this machine's own loopback.</summary>
    public bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));
}
