using System.Net;
using System.Net.Sockets;

namespace Gateway.Client.Doctor.Client;

/// <summary>Whether the name has addresses, and each of them answers.</summary>
internal static class NameStep
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Runs the step.</summary>
    public static async Task<bool> LookAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        if (visit.Route.Proxy is not null)
        {
            return true; // the proxy resolves it, and connected a moment ago
        }

        IPAddress[] addresses;
        try
        {
            addresses = await Dns.GetHostAddressesAsync(question.Host, cancellationToken);
        }
        catch (SocketException exception)
        {
            diagnosis.Error(
                "NET003", question.Host, exception.SocketErrorCode.ToString(),
                $"getent hosts {question.Host}; then see the DNS zone, /etc/hosts and /etc/resolv.conf");
            return false;
        }

        var answers = await Task.WhenAll(
            addresses.Select(address => TryAsync(address, question.Url.Port, cancellationToken)));
        var bad = addresses.Zip(answers)
            .Where(static pair => pair.Second is not null)
            .Select(static pair => $"{pair.First}: {pair.Second}").ToList();
        if (bad.Count == addresses.Length)
        {
            diagnosis.Error("NET004", question.Name, string.Join("; ", bad));
            return false;
        }

        if (bad.Count > 0)
        {
            // "localhost" has two addresses everywhere, and most servers listen on one.
            if (addresses.All(IPAddress.IsLoopback))
            {
                diagnosis.Inform("NET011", question.Name, string.Join("; ", bad));
            }
            else
            {
                diagnosis.Warn("NET011", question.Name, string.Join("; ", bad));
            }
        }

        diagnosis.Pass(
            "NET", question.Name,
            string.Join(
                ", ",
                addresses.Zip(answers)
                    .Where(static pair => pair.Second is null)
                    .Select(static pair => pair.First.ToString())) + " answers");
        return true;
    }

    private static async Task<string?> TryAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address, port, limit.Token);
            return null;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode.ToString();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no answer within {DoctorText.Span(Timeout)}; a firewall probably drops the packets";
        }
    }
}
