using System.Text.Json;
using Gateway.Foundation.Availability;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Pipeline;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Server.SignIn.Issuers;

/// <summary>
/// One issuer's document and keys: fetched when needed, refreshed automatically, the last good ones kept.
/// </summary>
/// <remarks>
/// How often the issuer is asked never depends on what strangers send: a key that is not known is looked for at most
/// once in <see cref="UnknownKeyFloor"/>, an unavailable issuer is asked again at most once in the back-off's time, and
/// requests meanwhile are answered by what is known.
/// </remarks>
internal sealed partial class IssuerMetadata
    : IHealthPart, IConfigurationManager<OpenIdConnectConfiguration>, IDisposable
{
    /// <summary>The age at which a document is fetched again, beside the requests.</summary>
    public static readonly TimeSpan RefreshAfter = TimeSpan.FromHours(1);

    /// <summary>
    /// The greatest age of one: keys that the issuer withdrew must not stay good because it cannot be reached.
    /// </summary>
    public static readonly TimeSpan MaximumAge = TimeSpan.FromHours(24);

    /// <summary>The least time between two fetches for keys that are not known.</summary>
    public static readonly TimeSpan UnknownKeyFloor = TimeSpan.FromSeconds(30);

    private static readonly BackOff Retries = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(60));

    private readonly IssuerOptions _options;
    private readonly string? _keysFile;
    private readonly IssuerHttp _http;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private Task<IssuerDocument>? _flight;
    private volatile IssuerDocument? _current;
    private volatile IssuerException? _failure;
    private long _attemptedAt;
    private int _failures;

    /// <param name="method">The method's name: <c>issuer:github</c>, <c>oidc:keycloak</c>.</param>
    /// <param name="options">Where the issuer is.</param>
    /// <param name="keysFile">A JWKS file that is used instead of asking; <see langword="null"/>: it is asked.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Logs when the issuer becomes unavailable, and when it has recovered.</param>
    /// <exception cref="ProblemException">The file of authorities cannot be used.</exception>
    public IssuerMetadata(
        string method, IssuerOptions options, string? keysFile, TimeProvider time, ILogger<IssuerMetadata> logger)
    {
        Name = method;
        _options = options;
        _keysFile = keysFile;
        _http = new IssuerHttp(options.CertificateAuthority);
        _time = time;
        _logger = logger;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public bool IsUp => _failure is null && _current is not null;

    /// <summary>The issuer, exactly as tokens name it.</summary>
    public string Issuer => _options.Issuer;

    /// <summary>The document as last read, however old; <see langword="null"/> where there is none yet.</summary>
    public IssuerDocument? Known => _current;

    /// <summary>How it is asked; for its other endpoints.</summary>
    public IssuerHttp Http => _http;

    /// <summary>The document in force; fetched first where there is none yet.</summary>
    /// <exception cref="IssuerException">There is none, or only one that is too old.</exception>
    public async ValueTask<IssuerDocument> GetAsync(CancellationToken cancellationToken)
    {
        if (_current is { } current && AgeOf(current) < MaximumAge)
        {
            if (AgeOf(current) >= RefreshAfter && MayRetry())
            {
                _ = FetchAsync(); // nothing waits for it, and it writes to the log itself
            }

            return current;
        }

        return await FetchIfAllowedAsync().WaitAsync(cancellationToken);
    }

    /// <summary>A document newer than one in which a key was not found, if there may be one.</summary>
    public async ValueTask<IssuerDocument> RefreshAsync(IssuerDocument seen, CancellationToken cancellationToken)
    {
        if (_current is { } current && current.FetchedAt > seen.FetchedAt)
        {
            return current;
        }

        if (_time.GetElapsedTime(Volatile.Read(ref _attemptedAt)) < UnknownKeyFloor)
        {
            return seen;
        }

        try
        {
            return await FetchAsync().WaitAsync(cancellationToken);
        }
        catch (IssuerException)
        {
            return seen; // the keys that are known stay good
        }
    }

    /// <summary>
    /// Fetches where there is nothing yet or it is old. For a loop beside the requests; it never throws.
    /// </summary>
    public async Task KeepFreshAsync()
    {
        if ((_current is null || AgeOf(_current) >= RefreshAfter) && MayRetry())
        {
            try
            {
                await FetchAsync();
            }
            catch (IssuerException)
            {
                // reported in the log and in /readyz
            }
        }
    }

    /// <summary>The document alone, for the framework's handler.</summary>
    async Task<OpenIdConnectConfiguration> IConfigurationManager<OpenIdConnectConfiguration>.GetConfigurationAsync(
        CancellationToken cancel) => (await GetAsync(cancel)).Configuration;

    /// <summary>Does nothing: the handler does not decide when the issuer is asked again.</summary>
    void IConfigurationManager<OpenIdConnectConfiguration>.RequestRefresh()
    {
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Reads a set of keys (RFC 7517, section 5), leaving out what cannot verify a signature.</summary>
    /// <exception cref="IssuerException">It is not one.</exception>
    public static IReadOnlyList<JsonWebKey> ReadKeys(string text, string source)
    {
        try
        {
            return [.. JsonWebKeySet.Create(text).Keys.Where(SigningAlgorithms.CanVerify)];
        }
        catch (Exception exception) when (exception is ArgumentException or JsonException or FormatException)
        {
            throw new IssuerException($"{source} holds no key set (JWKS)",
                "It must be a JSON object with \"keys\".", exception);
        }
    }

    private TimeSpan AgeOf(IssuerDocument document) => _time.GetElapsedTime(document.FetchedAt);

    private bool MayRetry()
    {
        var failures = Volatile.Read(ref _failures);
        return failures == 0 || _time.GetElapsedTime(Volatile.Read(ref _attemptedAt)) >= Retries.After(failures);
    }

    private Task<IssuerDocument> FetchIfAllowedAsync() =>
        !MayRetry() && _failure is { } failure ? Task.FromException<IssuerDocument>(failure) : FetchAsync();

    // One at a time: requests that come meanwhile wait for the same fetch.
    private Task<IssuerDocument> FetchAsync()
    {
        lock (_lock)
        {
            if (_flight is null)
            {
                Volatile.Write(ref _attemptedAt, _time.GetTimestamp());
                _flight = Task.Run(FetchAndKeepAsync);
                _ = _flight.ContinueWith(
                    static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted,
                    TaskScheduler.Default); // it is logged below, also where nothing waits for it
            }

            return _flight;
        }
    }

    private async Task<IssuerDocument> FetchAndKeepAsync()
    {
        try
        {
            var document = await ReadAsync();
            _current = document;
            if (_failure is not null)
            {
                Log.Back(_logger, Name, _options.Issuer);
            }

            _failure = null;
            Volatile.Write(ref _failures, 0);
            return document;
        }
        catch (Exception exception)
        {
            var failure = exception as IssuerException
                ?? new IssuerException($"{_options.Issuer} cannot be used: {exception.Message.TrimEnd('.')}",
                    "See the gateway's log.", exception);
            if (_failure?.What != failure.What)
            {
                Log.Away(_logger, Name, failure.Message, _current is null
                    ? "Until it recovers, sign-ins through it are answered 503; everything else continues."
                    : "The keys known so far stay in force for one day.");
            }

            _failure = failure;
            Interlocked.Increment(ref _failures);
            throw failure;
        }
        finally
        {
            lock (_lock)
            {
                _flight = null;
            }
        }
    }

    private async Task<IssuerDocument> ReadAsync()
    {
        var startedAt = _time.GetTimestamp();
        if (_keysFile is not null)
        {
            return new IssuerDocument(
                new OpenIdConnectConfiguration { Issuer = _options.Issuer },
                ReadKeys(await ReadFileAsync(_keysFile), _keysFile), startedAt);
        }

        var address = new Uri(_options.Issuer.TrimEnd('/') + "/.well-known/openid-configuration");
        var configuration = Read(await _http.GetAsync(address, CancellationToken.None), address);
        if (configuration.Issuer != _options.Issuer)
        {
            // OpenID Connect Discovery, section 4.3: otherwise the server of the document could speak for another
            // issuer.
            throw new IssuerException(
                $"{address} names the issuer \"{Shorten(configuration.Issuer)}\", where \"{_options.Issuer}\" is "
                    + "configured",
                "Write the issuer exactly as the document does, including a final slash.");
        }

        if (!Uri.TryCreate(configuration.JwksUri, UriKind.Absolute, out var keys)
            || !IssuerOptionsValidator.IsSafe(keys))
        {
            throw new IssuerException(
                $"{address} names no safe address for its keys (jwks_uri \"{Shorten(configuration.JwksUri)}\")",
                "The issuer must serve its keys over https.");
        }

        return new IssuerDocument(
            configuration, ReadKeys(await _http.GetAsync(keys, CancellationToken.None), keys.ToString()), startedAt);
    }

    private static OpenIdConnectConfiguration Read(string text, Uri address)
    {
        try
        {
            return OpenIdConnectConfiguration.Create(text);
        }
        catch (Exception exception) when (exception is ArgumentException or JsonException or FormatException)
        {
            throw new IssuerException(
                $"{address} did not answer with a discovery document",
                "Check that the address is that of an OpenID provider.",
                exception);
        }
    }

    private static async Task<string> ReadFileAsync(string path)
    {
        try
        {
            return await File.ReadAllTextAsync(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new IssuerException(
                $"{path} cannot be read: {exception.Message.TrimEnd('.')}", "Name a readable JWKS file.", exception);
        }
    }

    private static string Shorten(string? text) => text is null ? "" : text.Length <= 200 ? text : text[..200] + "…";

    private static partial class Log
    {
        [LoggerMessage(1060, LogLevel.Error, "{Method}: {Problem} {Meanwhile}")]
        public static partial void Away(ILogger logger, string method, string problem, string meanwhile);

        [LoggerMessage(1061, LogLevel.Information, "{Method}: {Issuer} has recovered.")]
        public static partial void Back(ILogger logger, string method, string issuer);
    }
}
