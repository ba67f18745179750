using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Gateway.Client.Doctor;
using Gateway.Client.Doctor.Client;
using Gateway.Foundation.Text;
using Gateway.Server.Host.Hosting;

namespace Gateway.Doctor;

/// <summary>
/// Whether clients that use the public URL reach this gateway, and its challenge sends them back there.
/// </summary>
internal sealed class PublicUrlCheck : IServerCheck
{
    private const int LargestAnswer = 1 << 20;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public string Area => "NET";

    /// <inheritdoc/>
    public string Subject => "the public URL";

    /// <inheritdoc/>
    public async Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var url = examined.Options.PublicUrl!;
        var subject = url.GetLeftPart(UriPartial.Authority);
        if (diagnosis.Has("NET001", Severity.Error))
        {
            diagnosis.NotRun(Area, subject, "another program listens on the gateway's address");
            return;
        }

        var listen = examined.Options.Listen;
        if (listen.Management.Length > 0
            && await ListenerCheck.AskAsync(ListenAddress.Parse(listen.Management), cancellationToken) is null)
        {
            diagnosis.NotRun(
                Area, subject, "the gateway is not running, so nothing answers there",
                "gateway serve --config FILE, then run the doctor again");
            return;
        }

        // Inside a container "localhost" is the container, and the published port is another one.
        if (url.IsLoopback && ListenAddress.Parse(listen.Https).Port != url.Port)
        {
            diagnosis.NotRun(
                Area, subject, $"it is a loopback address with another port than listen.https ({listen.Https}), so it "
                    + "leads here only where that port is published", $"Run gateway doctor --client {subject} there");
            return;
        }

        IPAddress[] addresses;
        try
        {
            addresses = await Dns.GetHostAddressesAsync(url.IdnHost.Trim('[', ']'), cancellationToken);
        }
        catch (SocketException exception)
        {
            Report(examined, "NET003", subject, $"{url.IdnHost}: {exception.SocketErrorCode}", diagnosis);
            return;
        }

        foreach (var address in addresses)
        {
            if (await ShakeHandsAsync(
                examined, new IPEndPoint(address, url.Port), url, subject, addresses.Length > 1, diagnosis,
                cancellationToken) is { } answer)
            {
                InspectCertificate(examined, subject, answer, diagnosis);
                await InspectChallengeAsync(examined, url, subject, diagnosis, cancellationToken);
                return;
            }
        }

        if (addresses.Length == 0)
        {
            diagnosis.Error("NET003", subject, $"{url.IdnHost} has no address");
        }
        else if (!diagnosis.Findings.Any(finding => finding.Subject == subject && finding.Severity == Severity.Error))
        {
            diagnosis.Error(
                "NET004", subject, $"none of its addresses ({addresses.Length}) answers: "
                    + $"{string.Join(", ", addresses.Take(5).Select(static address => address.ToString()))}");
        }
    }

    // A container has a resolver and a network of its own: clients may well reach what it cannot.
    private static void Report(
        ExaminedGateway examined, string id, string subject, string evidence, Diagnosis diagnosis)
    {
        if (examined.IsInContainer)
        {
            diagnosis.NotRun(
                "NET", subject, $"it cannot be reached from inside this container ({evidence})",
                $"Run gateway doctor --client {subject} on a client");
        }
        else
        {
            diagnosis.Error(id, subject, evidence);
        }
    }

    private static async Task<TlsAnswer?> ShakeHandsAsync(
        ExaminedGateway examined, IPEndPoint endPoint, Uri url, string subject, bool isOneOfSeveral,
        Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        try
        {
            var answer = await TlsProbe.ShakeHandsAsync(endPoint, url.IdnHost.Trim('[', ']'), limit.Token);
            if (answer.Fault is null)
            {
                return answer;
            }

            diagnosis.Error("TLS025", subject, $"at {endPoint}: {answer.Fault}");
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var evidence =
                $"{endPoint}: {(exception is SocketException socket ? socket.SocketErrorCode.ToString() : "no connection in time")}";
            if (isOneOfSeveral)
            {
                diagnosis.Inform("NET004", subject, evidence);
            }
            else
            {
                Report(examined, "NET004", subject, evidence, diagnosis);
            }
        }

        return null;
    }

    private static void InspectCertificate(
        ExaminedGateway examined, string subject, TlsAnswer answer, Diagnosis diagnosis)
    {
        var shown = answer.Chain[0];
        var configured = examined.Options.Tls.Certificates.Select(static pair => Thumbprint(pair.Certificate)).ToList();
        if (!configured.Contains(shown.GetCertHashString(HashAlgorithmName.SHA256)))
        {
            diagnosis.Warn(
                "NET005", subject, $"{shown.Subject}, issued by {shown.Issuer}, is presented there, and it is not one "
                    + "of tls.certificates");
        }
    }

    private static async Task InspectChallengeAsync(
        ExaminedGateway examined, Uri url, string subject, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        // Trust was checked before; here the question is who answers.
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false };
#pragma warning disable CA5359
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        using var client = new HttpClient(handler) { Timeout = Timeout, MaxResponseContentBufferSize = LargestAnswer };
        try
        {
            using var ping = await client.GetAsync(new Uri(url, "/v2/"), cancellationToken);
            var challenge = ping.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values)
                ? Challenges.Parse(string.Join(", ", values))
                : [];
            if (ping.StatusCode != HttpStatusCode.Unauthorized || challenge is not [var first, ..])
            {
                diagnosis.Error(
                    "NET006", subject,
                    $"GET /v2/ is answered {(int)ping.StatusCode} without a challenge, which this gateway never does");
                return;
            }

            if (first.IsBearer && first.Realm != url.GetLeftPart(UriPartial.Authority) + "/token")
            {
                diagnosis.Error(
                    "NET007", subject,
                    $"its challenge names the realm \"{first.Realm}\", where \""
                        + $"{url.GetLeftPart(UriPartial.Authority)}/token\" is expected");
                return;
            }

            var (published, own) = (await ReadKeysAsync(client, url, cancellationToken), OwnKeys(examined));
            var isCompared = published is not null && own.Count > 0;
            if (isCompared && !published!.Overlaps(own))
            {
                diagnosis.Error("NET006", subject, "the server there signs tokens with other keys than this gateway");
                return;
            }

            diagnosis.Pass(
                "NET", subject,
                isCompared
                    ? "it leads to this gateway, and its challenge leads back to it"
                    : "its challenge leads back to it; its keys were not compared");
        }
        catch (Exception exception)
            when (exception is HttpRequestException or OperationCanceledException or JsonException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            diagnosis.Error("NET004", subject, DoctorText.Of(exception));
        }
    }

    private static async Task<HashSet<string>?> ReadKeysAsync(
        HttpClient client, Uri url, CancellationToken cancellationToken)
    {
        using var answer = await client.GetAsync(new Uri(url, "/.well-known/jwks.json"), cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            return null;
        }

        using var document = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
        return document.RootElement.ValueKind == JsonValueKind.Object
            && document.RootElement.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array
            ? [.. keys.EnumerateArray().Select(static key => key.Text("kid") ?? "")]
            : null;
    }

    private static List<string> OwnKeys(ExaminedGateway examined) =>
        [.. KeyCheck.ReadUsable(examined).Select(static key => key.Id)];

    private static string Thumbprint(string file)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
            return certificate.GetCertHashString(HashAlgorithmName.SHA256);
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return "";
        }
    }
}
