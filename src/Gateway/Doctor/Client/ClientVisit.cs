using System.Net;
using System.Net.Security;

namespace Gateway.Doctor.Client;

/// <summary>One walk to a registry, and what was found out on it.</summary>
internal sealed class ClientVisit : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    private readonly Lazy<HttpClient> _http;

    public ClientVisit(ClientQuestion question, TimeProvider time, Diagnosis diagnosis)
    {
        (Question, Time, Diagnosis) = (question, time, diagnosis);
        _http = new Lazy<HttpClient>(CreateClient);
    }

    public ClientQuestion Question { get; }

    public TimeProvider Time { get; }

    public Diagnosis Diagnosis { get; }

    /// <summary>How the registry is reached.</summary>
    public Route Route { get; set; } = new(Proxy: null);

    /// <summary>Whether its certificate leads to an authority that somebody here trusts.</summary>
    public bool IsTrusted { get; set; }

    /// <summary>What it asks for; <see langword="null"/> where it asks for nothing.</summary>
    public AuthenticationChallenge? Challenge { get; set; }

    /// <summary>
    /// A client that accepts every certificate, since trust is judged apart; so credentials are only sent where <see cref="IsTrusted"/>.
    /// </summary>
    public HttpClient Http => _http.Value;

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
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = Question.Host, ApplicationProtocols = [SslApplicationProtocol.Http11] }, cancellationToken);
        return tls;
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
    }

    private HttpClient CreateClient()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = async (context, cancellationToken) => await Route.ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken),
        };
#pragma warning disable CA5359
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        var client = new HttpClient(handler) { Timeout = Timeout, MaxResponseContentBufferSize = 8 << 20 };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("registry-gateway-doctor");
        return client;
    }
}
