using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Gateway.Client.Doctor.Client;

/// <summary>
/// Proxies and firewalls between this machine and the registry, by how they handle uploads. Only the heads of requests
/// are sent, without a sign-in: a registry refuses them at once, and a machine in between refuses first, or waits for
/// the body.
/// </summary>
internal static class BetweenStep
{
    private const string Target = "/v2/gateway-doctor/probe/blobs/uploads/doctor";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private static readonly (long Length, string Text)[] Sizes = [
        (1024 * 1024 + 1024, "1 MiB"), (128L << 20, "128 MiB"), (6L << 30, "6 GiB"),
    ];

    /// <summary>Runs the step.</summary>
    public static async Task<bool> LookAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        if (visit.Challenge is null)
        {
            diagnosis.NotRun(
                "UPL", question.Name, "the registry requires no sign-in, so this would really start an upload");
            return true;
        }

        var before = diagnosis.Findings.Count;
        foreach (var (length, text) in Sizes)
        {
            var (status, isEarly) = await SendHeadAsync(visit, length, cancellationToken);
            if (status == 0 && isEarly)
            {
                diagnosis.Warn(
                    "UPL004", question.Name,
                    $"the connection is closed without an answer to the head of an upload of {text}");
                break;
            }

            if (status == 413)
            {
                diagnosis.Error(
                    "UPL001", question.Name,
                    $"an upload of more than {text} is refused with 413 before a sign-in is required");
                break;
            }

            if (!isEarly)
            {
                diagnosis.Warn(
                    "UPL002", question.Name, "the head of an upload is not answered within "
                        + $"{DoctorText.Span(Patience)}; something probably waits for the whole body");
                break;
            }

            if (status is not (401 or 403 or 404 or 405 or 400 or 429))
            {
                diagnosis.Warn(
                    "UPL004", question.Name,
                    $"the head of an upload of {text} is answered {status}, which no registry does");
                break;
            }
        }

        if (diagnosis.Findings.Count == before)
        {
            diagnosis.Pass(
                "UPL", question.Name, "nothing in between refuses large uploads or waits for their complete body");
        }

        return true;
    }

    private static async Task<(int Status, bool IsEarly)> SendHeadAsync(
        ClientVisit visit, long length, CancellationToken cancellationToken)
    {
        await using var stream = await visit.OpenAsync(cancellationToken);
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"PATCH {Target} HTTP/1.1\r\nHost: {visit.Question.Name}\r\nUser-Agent: registry-gateway-doctor\r\n"
                + $"Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n");
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
