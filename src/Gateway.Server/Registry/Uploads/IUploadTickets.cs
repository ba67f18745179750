using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Registry.Uploads;

/// <summary>Writes and reads upload tickets. Stateless: every replica that holds the signing keys reads them.</summary>
internal interface IUploadTickets
{
    /// <summary>The ticket as text for a query parameter: base64url.</summary>
    string Write(UploadTicket ticket, string registry, RepositoryName repository, UploadId upload);

    /// <summary>The ticket, or <see langword="null"/> where it is none of ours or another upload's.</summary>
    UploadTicket? Read(string text, string registry, RepositoryName repository, UploadId upload);
}
