using System.Security.Cryptography.X509Certificates;
using Gateway.Bench.Fronts;
using Gateway.Bench.Load;

namespace Gateway.Bench.Workloads;

/// <summary>A ping on a new TLS connection each time, as the clients' commands begin.</summary>
internal sealed class ConnectionWorkload(Lab lab, bool isResumed) : IFrontWorkload
{
    // The answer to a full handshake has the certificate and a signature; the one that resumes has neither.
    private const int FullHandshakeBytes = 700;
    private const int Concurrency = 1; // .NET keeps one session, and connections at the same time take it from each other

    /// <inheritdoc/>
    public string Key => isResumed ? "connect-resumed" : "connect-full";

    /// <inheritdoc/>
    public string Title => isResumed
        ? "ping, new connection, TLS resumed"
        : "ping, new connection, full handshake";

    /// <inheritdoc/>
    public Table Table => Table.SignIns;

    /// <inheritdoc/>
    public bool AppliesTo(string front) =>
        front is FrontSet.Nginx or FrontSet.Yarp or FrontSet.Gateway or FrontSet.GatewayOther;

    /// <inheritdoc/>
    public async Task<Measurement> RunAsync(Front front, CancellationToken cancellationToken)
    {
        using var client = lab.CreateClient(front.Address);
        var authorization = (await front.AuthorizeAsync(client, ""))?.ToString();
        var trust = lab.Trust(); // one for all, since sessions are kept for each set of options
        await CountedLoad.RunAsync(
            Concurrency, 1, (_, cancellation) => SendAsync(front, trust, authorization, cancellation),
            cancellationToken);
        var unlike = 0;
        var taken = await Measurement.TakeAsync(front, async () =>
        {
            await CountedLoad.RunAsync(
                lab.Sizes.NewConnections,
                Concurrency,
                async (_, cancellation) =>
                {
                    if (await SendAsync(front, trust, authorization, cancellation) < FullHandshakeBytes != isResumed)
                    {
                        Interlocked.Increment(ref unlike);
                    }
                },
                cancellationToken);
            return lab.Sizes.NewConnections;
        });
        return unlike <= lab.Sizes.NewConnections / 20
            ? taken
            : throw new BenchException(
                $"{front.Title}: {unlike} of {taken.Count} handshakes were {(isResumed ? "full" : "resumed")} ones.");
    }

    private async Task<long> SendAsync(
        Front front, X509ChainPolicy trust, string? authorization,
        CancellationToken cancellationToken)
    {
        await using var connection = await TlsConnection.OpenAsync(
            front.Address, trust, isResumed, cancellationToken);
        await connection.GetAsync("/v2/", front.Address.Authority, authorization, cancellationToken);
        return connection.HandshakeBytes;
    }
}
