using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Gateway.Client.Doctor.Client;

/// <summary>One run against a registry, and its results.</summary>
internal sealed class ClientVisit : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private readonly Lazy<HttpClient> _http;
    private readonly Lazy<HttpClient> _guardedHttp;

    public ClientVisit(ClientQuestion question, TimeProvider time, Diagnosis diagnosis)
    {
        (Question, Time, Diagnosis) = (question, time, diagnosis);
        _http = new Lazy<HttpClient>(() => CreateClient(isGuarded: false));
        _guardedHttp = new Lazy<HttpClient>(() => CreateClient(isGuarded: true));
        diagnosis.Hide(question.Password);
        if (question.User is { } user)
        {
            diagnosis.Hide(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{question.Password}")));
        }
    }

    public ClientQuestion Question { get; }

    public TimeProvider Time { get; }

    public Diagnosis Diagnosis { get; }

    /// <summary>How the registry is reached.</summary>
    public Route Route { get; set; } = new(Proxy: null);

    /// <summary>
    /// The proxies of the client whose connections are checked; <see langword="null"/> until they are known.
    /// </summary>
    public ProxySettings? Proxies { get; set; }

    /// <summary>
    /// The authorities of clients here that issued the registry's certificate, besides the system's and those named.
    /// </summary>
    public X509Certificate2Collection ClientAuthorities { get; } = [];

    /// <summary>Whether a password may be sent to the server that presented the registry's certificate.</summary>
    public bool IsTrusted { get; set; }

    /// <summary>The registry's challenge; <see langword="null"/> if it has none.</summary>
    public AuthenticationChallenge? Challenge { get; set; }

    /// <summary>
    /// A client that accepts every certificate, since trust is judged separately: never for a secret.
    /// </summary>
    public HttpClient Http => _http.Value;

    /// <summary>
    /// A client that judges the certificate of every connection: for secrets.
    /// </summary>
    public HttpClient GuardedHttp => _guardedHttp.Value;

    /// <summary>Whether secrets may be sent to the holder of a certificate.</summary>
    public bool IsFit(IReadOnlyList<X509Certificate2> chain, string host) =>
        CertificateInspection.IsFit(
            chain, host, [null, Question.Authorities ?? [], ClientAuthorities], Time.GetUtcNow());

    /// <summary>
    /// Whether secrets may be sent to an address: the registry and its realm, over TLS; without TLS only the registry,
    /// if the question has an http address.
    /// </summary>
    public bool MayReceiveSecrets(Uri url) => url.Scheme == "https"
        ? url.Authority == Question.Url.Authority
            || (Challenge is { IsBearer: true } && Uri.TryCreate(Challenge.Realm, UriKind.Absolute, out var realm)
            && realm.Authority == url.Authority)
        : url.Scheme == "http" && Question.Url.Scheme == "http" && url.Authority == Question.Url.Authority;

    /// <summary>The text of an answer, whatever character set it declares.</summary>
    public static async Task<string> ReadAsync(HttpContent content, CancellationToken cancellationToken) =>
        Encoding.UTF8.GetString(await content.ReadAsByteArrayAsync(cancellationToken));

    /// <summary>Sends a request, with a secret only where that may be sent.</summary>
    /// <exception cref="KeptSecretException">The receiver is not trusted.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, Uri url, string? authorization, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, url);
        if (authorization is null)
        {
            return await Http.SendAsync(request, cancellationToken);
        }

        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await SendSecretAsync(request, cancellationToken);
    }

    /// <summary>
    /// Sends a request that holds a secret: the only way in which people's passwords and tokens are sent.
    /// </summary>
    /// <exception cref="KeptSecretException">The receiver is not trusted.</exception>
    public async Task<HttpResponseMessage> SendSecretAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var url = request.RequestUri!;
        if (!MayReceiveSecrets(url))
        {
            throw new KeptSecretException(
                $"{url.GetLeftPart(UriPartial.Authority)} is neither the registry nor a realm with TLS, so no "
                    + "password is sent there");
        }

        try
        {
            return await GuardedHttp.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException)
        {
            throw new KeptSecretException(
                $"the certificate of {url.Authority} is not trusted, so no password is sent there");
        }
    }

    /// <summary>The registry's error message, without secrets.</summary>
    public string MessageOf(string body)
    {
        body = Diagnosis.Redact(body); // before it is cut
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("errors", out var errors)
                && errors.ValueKind == JsonValueKind.Array
                && errors.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } first)
            {
                return first.TryGetProperty("message", out var message) ? message.ToString() : first.ToString();
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // unchanged
        }

        return DoctorText.OneLine(body.Length > 160 ? body[..160] : body);
    }

    /// <summary>Opens a connection to the registry, with TLS where it has it.</summary>
    public async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        var stream = await Route.ConnectAsync(Question.Host, Question.Url.Port, cancellationToken);
        if (Question.Url.Scheme != "https")
        {
            return stream;
        }

#pragma warning disable CA5359
        var tls = new SslStream(stream, leaveInnerStreamOpen: false, static (_, _, _, _) => true);
#pragma warning restore CA5359
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(HandshakeTimeout);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = Question.Host,
                    ApplicationProtocols = [SslApplicationProtocol.Http11],
                }, limit.Token);
            return tls;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await tls.DisposeAsync();
            throw new TimeoutException($"no TLS handshake within {DoctorText.Span(HandshakeTimeout)}");
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>An address at the registry.</summary>
    public Uri At(string path) => new(Question.Url, path);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_http.IsValueCreated)
        {
            _http.Value.Dispose();
        }

        if (_guardedHttp.IsValueCreated)
        {
            _guardedHttp.Value.Dispose();
        }
    }

    // A realm of another host may be exempt from the proxy that leads to the registry, and the other way round.
    private Route RouteTo(Uri? url) =>
        url is null || url.Authority == Question.Url.Authority || Proxies is null ? Route : Route.For(Proxies, url);

    private bool IsFit(object sender, X509Certificate? certificate, X509Chain? built)
    {
        try
        {
            return sender is SslStream { TargetHostName: var host }
                && IsFit(TlsProbe.ChainOf(certificate, built), host);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private HttpClient CreateClient(bool isGuarded)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = async (context, cancellationToken) => await RouteTo(
                context.InitialRequestMessage.RequestUri).ConnectAsync(
                    context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken),
        };
#pragma warning disable CA5359
        handler.SslOptions.RemoteCertificateValidationCallback = isGuarded
            ? (sender, certificate, built, _) => IsFit(sender, certificate, built)
            : static (_, _, _, _) => true;
#pragma warning restore CA5359
        var client = new HttpClient(handler) { Timeout = Timeout, MaxResponseContentBufferSize = 8 << 20 };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("registry-gateway-doctor");
        return client;
    }
}
