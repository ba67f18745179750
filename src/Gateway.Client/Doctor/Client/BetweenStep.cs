using System.Net.Sockets;
using System.Text;

namespace Gateway.Client.Doctor.Client;

/// <summary>
/// Proxies and firewalls between this machine and the registry, by what they do with uploads. Only heads of requests are sent, and nobody
/// signs in: a registry refuses them at once, and what lies in between shows itself by refusing first, or by waiting for the body.
/// </summary>
internal static class BetweenStep
{
    private const string Target = "/v2/gateway-doctor/probe/blobs/uploads/doctor";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private static readonly (long Length, string Text)[] Sizes = [(1024 * 1024 + 1024, "1 MiB"), (128L << 20, "128 MiB"), (6L << 30, "6 GiB")];

    /// <summary>Looks.</summary>
    public static async Task<bool> LookAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        if (visit.Challenge is null)
        {
            diagnosis.NotRun("UPL", question.Name, "the registry asks for no sign-in, so an upload would really begin");
            return true;
        }

        var before = diagnosis.Findings.Count;
        foreach (var (length, text) in Sizes)
        {
            var (status, isEarly) = await SendHeadAsync(visit, length, cancellationToken);
            if (status == 0 && isEarly)
            {
                diagnosis.Warn("UPL004", question.Name, $"the head of an upload of {text} is not answered: the connection is closed");
                break;
            }

            if (status == 413)
            {
                diagnosis.Error("UPL001", question.Name, $"an upload of more than {text} is refused with 413 before anybody is asked to sign in");
                break;
            }

            if (!isEarly)
            {
                diagnosis.Warn("UPL002", question.Name, $"the head of an upload is not answered within {DoctorText.Span(Patience)}, as where something waits for the whole body first");
                break;
            }

            if (status is not (401 or 403 or 404 or 405 or 400 or 429))
            {
                diagnosis.Warn("UPL004", question.Name, $"the head of an upload of {text} is answered {status}, as no registry does");
                break;
            }
        }

        if (diagnosis.Findings.Count == before)
        {
            diagnosis.Pass("UPL", question.Name, "nothing in between refuses large uploads or waits for their whole body");
        }

        return true;
    }

    private static async Task<(int Status, bool IsEarly)> SendHeadAsync(ClientVisit visit, long length, CancellationToken cancellationToken)
    {
        await using var stream = await visit.OpenAsync(cancellationToken);
        var head = FormattableString.Invariant($"PATCH {Target} HTTP/1.1\r\nHost: {visit.Question.Name}\r\nUser-Agent: registry-gateway-doctor\r\nContent-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), cancellationToken);
        await stream.WriteAsync(new byte[64], cancellationToken);
        await stream.FlushAsync(cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            return ((await RawHttp.ReadHeadAsync(stream, limit.Token)).Status, true);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (0, false);
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            return (0, true);
        }
    }
}
