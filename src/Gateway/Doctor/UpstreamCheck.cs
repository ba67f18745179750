using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Authentication;
using Gateway.Client.Doctor;
using Gateway.Client.Doctor.Client;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Keys;
using Gateway.Server.Tokens.Service;

namespace Gateway.Doctor;

/// <summary>
/// The registries behind the gateway: whether they can be reached, are registries, and are closed to others.
/// </summary>
internal sealed class UpstreamCheck : IServerCheck
{
    private const int LargestAnswer = 1 << 20;
    private const string Probe = "/v2/gateway-doctor/probe/blobs/uploads/";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public string Area => "UPS";

    /// <inheritdoc/>
    public string Subject => "the upstreams";

    /// <inheritdoc/>
    public async Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        UpstreamTrust trust;
        try
        {
            trust = examined.Options.LoadUpstreamTrust();
        }
        catch (ProblemException exception)
        {
            foreach (var problem in exception.Problems)
            {
                diagnosis.Error("UPS006", problem.Source, SettingProblems.EvidenceOf(problem), problem.Fix);
            }

            return;
        }

        foreach (var registry in examined.Options.Registries)
        {
            using var handler = new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
            };
            trust.Configure(registry.Name, handler);
            using var client = new HttpClient(handler)
            {
                Timeout = Timeout,
                MaxResponseContentBufferSize = LargestAnswer,
            };
            diagnosis.Hide(registry.Credential?.Password);
            diagnosis.Hide(UpstreamCredential.Header(registry.Credential)?.Split(' ')[^1]);
            foreach (var upstream in registry.Upstreams)
            {
                await diagnosis.AttemptAsync(
                    Area, $"{registry.Name} at {upstream.GetLeftPart(UriPartial.Authority)}",
                    () => InspectAsync(examined, registry, upstream, client, diagnosis, cancellationToken),
                    cancellationToken);
            }
        }
    }

    private async Task InspectAsync(
        ExaminedGateway examined, RegistryOptions registry, Uri upstream, HttpClient client, Diagnosis diagnosis,
        CancellationToken cancellationToken)
    {
        var subject = $"{registry.Name} at {upstream.GetLeftPart(UriPartial.Authority)}";
        if (await AskAsync(examined, upstream, client, subject, diagnosis, cancellationToken) is not { } isOpen
            || !await InspectCredentialAsync(
                examined, registry, upstream, client, isOpen, subject, diagnosis, cancellationToken))
        {
            return;
        }

        if (isOpen)
        {
            await InspectOpennessAsync(upstream, client, subject, diagnosis, cancellationToken);
        }

        await InspectRedirectsAsync(examined, registry, upstream, client, subject, diagnosis, cancellationToken);
        if (examined.MayProbeUploads && !registry.ForwardToken)
        {
            await ProbeUploadAsync(registry, upstream, client, subject, diagnosis, cancellationToken);
        }
        else
        {
            diagnosis.Inform(
                "UPS009", subject,
                registry.ForwardToken ? "not checked where the registry verifies tokens" : "not requested",
                "gateway doctor --upload-probe starts an upload at each registry and cancels it");
        }

        if (!diagnosis.Findings.Any(finding => finding.Subject == subject && finding.Severity > Severity.Information))
        {
            diagnosis.Pass(Area, subject, "it can be reached and speaks the registry API");
        }
    }

    // Whether anyone may use it without credentials; null where it cannot be reached, or is no registry.
    private static async Task<bool?> AskAsync(
        ExaminedGateway examined, Uri upstream, HttpClient client, string subject, Diagnosis diagnosis,
        CancellationToken cancellationToken)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await SendAsync(client, HttpMethod.Get, new Uri(upstream, "/v2/"), null, cancellationToken);
        }
        catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException)
        {
            diagnosis.Error(
                "UPS006", subject, DoctorText.Of(exception),
                "Name the authority that signed its certificate as registries[].certificateAuthority, or correct the "
                    + "certificate's names and dates");
            return null;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            diagnosis.Error(
                "UPS001", subject,
                exception is HttpRequestException
                    ? DoctorText.Of(exception)
                    : $"no answer within {DoctorText.Span(Timeout)}");
            return null;
        }

        using (answer)
        {
            InspectClock(examined, subject, answer, diagnosis);
            var isRegistry = answer.Headers.Contains("Docker-Distribution-Api-Version")
                || (answer.StatusCode == HttpStatusCode.Unauthorized && answer.Headers.WwwAuthenticate.Count > 0)
                || (answer.StatusCode == HttpStatusCode.OK
                && (await ClientVisit.ReadAsync(answer.Content, cancellationToken)).Trim() is "{}" or "");
            if (!isRegistry || answer.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Unauthorized))
            {
                diagnosis.Error(
                    "UPS002", subject, $"GET /v2/ is answered {(int)answer.StatusCode} "
                        + $"({answer.Content.Headers.ContentType?.MediaType ?? "no type"}), which no registry does");
                return null;
            }

            return answer.StatusCode == HttpStatusCode.OK;
        }
    }

    // Whether it accepts the gateway's credential.
    private static async Task<bool> InspectCredentialAsync(
        ExaminedGateway examined, RegistryOptions registry, Uri upstream, HttpClient client, bool isOpen,
        string subject, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        if (registry.ForwardToken)
        {
            if (examined.Options.Tokens.Keys.Store != SigningKeyStoreKind.Folder)
            {
                diagnosis.NotRun(
                    "UPS", subject, "whether it accepts the gateway's tokens was not checked",
                    $"gateway keys probe {registry.Name}");
                return true;
            }

            if (KeyCheck.ReadUsable(examined) is not { Count: > 0 } keys)
            {
                diagnosis.NotRun("UPS", subject, "there are no signing keys, so there is no token to test with");
                return true;
            }

            var probe = new RegistryProbe(
                client, new SigningKeyRing(keys), examined.Options.CreateRouter().PublicHost, examined.Time);
            var result = await probe.ProbeAsync(upstream, null, cancellationToken);
            if (result.Outcome == RegistryProbeOutcome.Refused)
            {
                diagnosis.Error("UPS007", subject, string.Join(' ', result.Lines));
                return false;
            }

            return true;
        }

        if (UpstreamCredential.Header(registry.Credential) is not { } credential)
        {
            if (!isOpen)
            {
                diagnosis.Error(
                    "UPS004", subject, "it requires a sign-in, but no credential is configured for it",
                    "Set registries[].credential; or turn its own auth off where only the gateway can reach it");
            }

            return isOpen;
        }

        using var answer = await SendAsync(
            client, HttpMethod.Get, new Uri(upstream, "/v2/"), credential, cancellationToken);
        if (UpstreamAuthorization.IsRefusal(answer.StatusCode))
        {
            diagnosis.Error(
                "UPS004", subject, $"it answers {(int)answer.StatusCode} to the configured credential",
                "Correct registries[].credential");
            return false;
        }

        return true;
    }

    private static async Task InspectRedirectsAsync(
        ExaminedGateway examined,
        RegistryOptions registry,
        Uri upstream,
        HttpClient client,
        string subject,
        Diagnosis diagnosis,
        CancellationToken cancellationToken)
    {
        var router = examined.Options.CreateRouter();
        UpstreamTokens? tokens = null;
        if (registry.ForwardToken)
        {
            if (KeyCheck.ReadUsable(examined) is not { Count: > 0 } keys)
            {
                diagnosis.Inform(
                    "UPS011", subject,
                    "where it sends clients for blobs was not checked: there is no key here to sign a token with");
                return;
            }

            tokens = new UpstreamTokens(new FixedKeys(new SigningKeyRing(keys)), router, examined.Time);
        }

        await new RedirectLook(client, router, tokens).InspectAsync(
            router.Registries.Single(one => one.Name == registry.Name), upstream, subject, diagnosis,
            cancellationToken);
    }

    private static async Task InspectOpennessAsync(
        Uri upstream, HttpClient client, string subject, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        IPAddress[] addresses;
        try
        {
            addresses = await Dns.GetHostAddressesAsync(upstream.IdnHost, cancellationToken);
        }
        catch (SocketException)
        {
            return; // it answered a moment ago
        }

        if (Array.Find(addresses, IsPublic) is { } address)
        {
            diagnosis.Error("UPS003", subject, $"it answers without a sign-in, and {address} is a public address");
            return;
        }

        var own = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(static one => one.GetIPProperties().UnicastAddresses).Select(static one => one.Address)
            .Where(static one => !IPAddress.IsLoopback(one) && !one.IsIPv6LinkLocal).ToList();
        if (!addresses.All(one => IPAddress.IsLoopback(one) || own.Contains(one)))
        {
            diagnosis.Inform("UPS008", subject, "it answers anyone who reaches it, without a sign-in");
            return;
        }

        foreach (var one in own)
        {
            try
            {
                var url = new UriBuilder(upstream.Scheme, one.ToString(), upstream.Port, "/v2/").Uri;
                using var answer = await SendAsync(client, HttpMethod.Get, url, null, cancellationToken);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    diagnosis.Error(
                        "UPS003", subject, $"it answers without a sign-in at {one} too, which is not a loopback "
                            + "address: anyone who reaches it bypasses the gateway",
                        "In the registry's configuration: http: { addr: 127.0.0.1:5000 }; in compose: no ports: "
                            + "for the registry");
                    return;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    private static async Task ProbeUploadAsync(
        RegistryOptions registry, Uri upstream, HttpClient client, string subject, Diagnosis diagnosis,
        CancellationToken cancellationToken)
    {
        var credential = UpstreamCredential.Header(registry.Credential);
        using var begun = await SendAsync(
            client, HttpMethod.Post, new Uri(upstream, Probe), credential, cancellationToken);
        if (begun.StatusCode != HttpStatusCode.Accepted || begun.Headers.Location is not { } location)
        {
            diagnosis.Error(
                "UPS010", subject,
                $"an upload is answered {(int)begun.StatusCode}: "
                    + $"{await ClientVisit.ReadAsync(begun.Content, cancellationToken)}");
            return;
        }

        // "//elsewhere/x" leads elsewhere as well; the credential is sent to the upstream only.
        if (!Uri.TryCreate(upstream, location.OriginalString, out var target))
        {
            diagnosis.Error("UPS010", subject, $"an upload's Location is not an address: {location.OriginalString}");
            return;
        }

        if (target.Scheme != upstream.Scheme || target.Authority != upstream.Authority)
        {
            diagnosis.Warn(
                "UPS005", subject, $"an upload's Location leads to {target.GetLeftPart(UriPartial.Authority)}",
                "In the registry's configuration: http: { relativeurls: true }, and no http.host");
        }

        target = new Uri(upstream, target.PathAndQuery);
        using var ended = await SendAsync(client, HttpMethod.Delete, target, credential, cancellationToken);
    }

    private static void InspectClock(
        ExaminedGateway examined, string subject, HttpResponseMessage answer, Diagnosis diagnosis)
    {
        if (answer.Headers.Date is not { } date)
        {
            return;
        }

        var difference = (date - examined.Time.GetUtcNow()).Duration();
        if (difference > ClockTolerance)
        {
            diagnosis.Warn(
                "CLK001", subject,
                $"its clock says {DoctorText.At(date)}, this machine's {DoctorText.At(examined.Time.GetUtcNow())}: "
                    + $"{DoctorText.Span(difference)} apart");
        }
    }

    private static bool IsPublic(IPAddress address)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal && !address.IsIPv6UniqueLocal
                && !address.IsIPv6SiteLocal;
        }

        return address.GetAddressBytes() is not ([10, ..] or [127, ..] or [169, 254, ..] or [192, 168, ..]
            or [172, >= 16 and <= 31, ..] or [100, >= 64 and <= 127, ..] or [192, 0, 2, ..] or [198, 51, 100, ..]
            or [203, 0, 113, ..]);
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, HttpMethod method, Uri url, string? authorization, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, url);
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        return await client.SendAsync(request, cancellationToken);
    }

    private sealed class FixedKeys(SigningKeyRing ring) : ISigningKeys
    {
        public SigningKeyRing Current => ring;
    }
}
