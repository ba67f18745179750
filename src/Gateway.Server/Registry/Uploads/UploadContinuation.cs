using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Keys;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Registry.Uploads;

/// <summary>Who may continue an upload, until when, and where its next request goes.</summary>
internal sealed partial class UploadContinuation(
    IUploadTickets tickets,
    ISigningKeys keys,
    TokenOptions options,
    TimeProvider time,
    ILogger<UploadContinuation> logger)
{
    private readonly TimeSpan _window = options.UploadWindow;

    /// <summary>The ticket that a request on a started upload presents, if it is that upload's.</summary>
    public UploadTicket? FindTicket(GatewayContext gateway) =>
        gateway.Request is { Upload: { } upload, Repository: { } repository, Parameters.Ticket: { } text }
        && RegistryRouter.FindRegistry(gateway.Host, repository) is { } registry
            ? tickets.Read(text, registry.Name, repository, upload)
            : null;

    /// <summary>
    /// Lets a request that policy allows go on with its upload: from here on it carries the upstream's query. Requests
    /// on anything else pass as they are.
    /// </summary>
    /// <returns>Why it may not; <see langword="null"/> where it may.</returns>
    /// <exception cref="StateException">An upload is to start while no ticket could be signed for it.</exception>
    public RegistryError? Admit(GatewayContext gateway)
    {
        if (gateway.Request.Operation == RegistryOperation.StartUpload)
        {
            _ = keys.Current; // before the upstream starts what nobody could continue
        }

        if (gateway.Request.Upload is null)
        {
            return null;
        }

        if (gateway.Ticket is not { } ticket)
        {
            return RegistryError.BlobUploadUnknown(
                "this is not the address of an upload here: use the Location of the last "
                + "answer unchanged, with its _ticket, or start again with POST …/blobs/uploads/");
        }

        if (!ticket.IsOf(gateway.Subject))
        {
            Log.OfAnotherSubject(logger, gateway.RequestId, gateway.Subject, gateway.Request.Repository!.Value);
            return RegistryError.Denied("the upload was started by another subject; start one of your own");
        }

        gateway.Request = gateway.Request.Continuing(ticket.UpstreamQuery);
        return null;
    }

    /// <summary>The public path and query of an upload that the upstream's answer names, with a new ticket.</summary>
    public string LocationOf(GatewayContext gateway, RepositoryName repository, RegistryLocation location)
    {
        var ticket = new UploadTicket(UploadTicket.NameOf(gateway.Subject), ContinueUntil(gateway), location.RawQuery);
        return location.ToPathAndQuery(
            repository, tickets.Write(ticket, gateway.Registry!.Name, repository, location.Upload!));
    }

    // Every request with a good credential moves the window on; with an expired access token it ends when it ends. A
    // token that expired within the clocks' tolerance counts from its end, so it too is good for one window only.
    private DateTimeOffset ContinueUntil(GatewayContext gateway)
    {
        var now = time.GetUtcNow();
        return gateway.Principal.ExpiresAt is { } end && end <= now
            ? gateway.Ticket?.ContinueUntil ?? end + _window
            : now + _window;
    }

    private static partial class Log
    {
        [LoggerMessage(1150, LogLevel.Information,
            "Refused {RequestId}: {Subject} presented another subject's ticket for an upload to {Repository}.")]
        public static partial void OfAnotherSubject(
            ILogger logger, string requestId, Subject subject, string repository);
    }
}
