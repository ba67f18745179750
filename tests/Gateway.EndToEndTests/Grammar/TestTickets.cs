using System.Security.Cryptography;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Uploads;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.Keys;

namespace Gateway.EndToEndTests.Grammar;

/// <summary>
/// The gateway's own tickets, for uploads that a real registry started and for such as exist nowhere.
/// </summary>
internal sealed class TestTickets : ISigningKeys
{
    private const string Registry = "main";

    private readonly UploadTickets _tickets;

    public TestTickets() => _tickets = new UploadTickets(this, TimeProvider.System);

    public SigningKeyRing Current { get; } =
        new([new SigningKey(ECDsa.Create(ECCurve.NamedCurves.nistP256), activeFrom: default)]);

    /// <summary>The ticket that the gateway would have put into the upload's <c>Location</c>.</summary>
    public string Write(StartedUpload upload)
    {
        var id = UploadId.TryParse(upload.Id, out var parsed) ? parsed : throw new FormatException(upload.Id);
        var ticket = new UploadTicket(new string('0', 64), DateTimeOffset.UnixEpoch, upload.Query);
        return _tickets.Write(ticket, Registry, RepositoryName.Parse(upload.Repository), id);
    }

    /// <summary>
    /// What the gateway forwards of a request; <see langword="null"/> for an upload without its own ticket.
    /// </summary>
    public RegistryRequest? Forwarded(RegistryRequest request) =>
        request.Upload is null ? request
        : request.Parameters.Ticket is { } text
            && _tickets.Read(text, Registry, request.Repository!, request.Upload) is { } ticket
            ? request.Continuing(ticket.UpstreamQuery)
            : null;
}
