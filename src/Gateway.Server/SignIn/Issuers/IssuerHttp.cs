using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.SignIn.Issuers;

/// <summary>Asks an outside issuer over HTTP, which may be broken or hostile: bounded in time and size.</summary>
/// <remarks>
/// No redirects: a document must come from the address it was requested from. No link-local addresses: they belong to
/// the metadata services of clouds, which give credentials to anyone who can make a server ask them.
/// </remarks>
internal sealed class IssuerHttp : IDisposable
{
    /// <summary>The longest answer read, in bytes.</summary>
    public const int LargestAnswer = 1024 * 1024;

    /// <summary>The longest wait for an answer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly HttpClient _client;
    private readonly string? _authority;

    /// <param name="certificateAuthority">
    /// PEM file of the authorities to trust; <see langword="null"/>: the system's.
    /// </param>
    /// <exception cref="ProblemException">The file cannot be used.</exception>
    public IssuerHttp(string? certificateAuthority)
    {
        _authority = certificateAuthority;
        _client = CreateClient(certificateAuthority);
    }

    /// <summary>A client with the same bounds as this class, for callers that need more of the answers.</summary>
    /// <param name="certificateAuthority">
    /// PEM file of the authorities to trust; <see langword="null"/>: the system's.
    /// </param>
    /// <exception cref="ProblemException">The file cannot be used.</exception>
    public static HttpClient CreateClient(string? certificateAuthority)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = ConnectTimeout,
            ConnectCallback = ConnectAsync,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // addresses change
            MaxResponseHeadersLength = 64,
        };
        if (certificateAuthority is not null)
        {
            handler.SslOptions.CertificateChainPolicy = TrustRoots.Policy(
                TrustRoots.Load(certificateAuthority, "certificateAuthority"));
        }

        var client = new HttpClient(handler) { Timeout = Timeout, MaxResponseContentBufferSize = LargestAnswer };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("registry-gateway");
        client.DefaultRequestHeaders.Accept.ParseAdd("application/json");
        return client;
    }

    /// <summary>Gets a document.</summary>
    /// <exception cref="IssuerException">There is no answer with status 200.</exception>
    public async Task<string> GetAsync(Uri url, CancellationToken cancellationToken, string? authorization = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        var (status, body) = await SendAsync(request, cancellationToken);
        return status == HttpStatusCode.OK
            ? body
            : throw new IssuerException(
                $"{url} answered {(int)status}, where 200 with a document is expected",
                (int)status is >= 300 and < 400
                    ? "Set the issuer's final address: redirects are not followed."
                    : "Check the issuer's address, and see its own log.");
    }

    /// <summary>Posts a form.</summary>
    /// <returns>The status and the body; errors of OAuth are answers too.</returns>
    /// <exception cref="IssuerException">There is no answer.</exception>
    public async Task<(HttpStatusCode Status, string Body)> PostAsync(
        Uri url, IEnumerable<KeyValuePair<string, string>> form, string? authorization,
        CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new FormUrlEncodedContent(form) };
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        return await SendAsync(request, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellationToken);
        var allowed = Array.FindAll(addresses, static address => !IsLinkLocal(address));
        if (allowed.Length == 0)
        {
            throw new IssuerException(
                $"{context.DnsEndPoint.Host} has link-local addresses only, where clouds serve credentials",
                "Use an issuer that has an ordinary address.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsLinkLocal(IPAddress address)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return address.IsIPv6LinkLocal
            || (address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes() is [169, 254, ..]);
    }

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var url = request.RequestUri!;
        try
        {
            using var response = await _client.SendAsync(request, cancellationToken);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (HttpRequestException exception) when (exception.InnerException is IssuerException inner)
        {
            throw inner;
        }
        catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException tls)
        {
            throw new IssuerException(
                $"the TLS certificate of {url.Authority} is not trusted: {tls.Message.TrimEnd('.')}",
                _authority is null
                    ? "If a private authority signed it, set certificateAuthority to the authority's PEM file."
                    : $"Check that {_authority} holds the authority that signed it, and that its "
                        + "names and dates are right.",
                exception);
        }
        catch (HttpRequestException exception)
        {
            throw new IssuerException(
                $"the request to {url.Authority} failed: {exception.Message.TrimEnd('.')}",
                "Check that it runs, and that its name and port can be reached from here.",
                exception);
        }
        catch (TaskCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IssuerException(
                $"{url.Authority} did not answer within {Timeout.TotalSeconds} s",
                "Check that it runs, and that no firewall drops the connection.",
                exception);
        }
    }
}
