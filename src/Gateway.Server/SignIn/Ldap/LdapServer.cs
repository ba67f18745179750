#pragma warning disable CA1416 // the gateway runs on Linux
using System.Collections.Concurrent;
using System.DirectoryServices.Protocols;
using System.Net;
using Gateway.Foundation.Availability;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>One server of a directory: its connections, and whether it answers.</summary>
/// <remarks>
/// libldap waits for answers without end, whatever timeout it is given through this library (seen with 2.5: a server
/// that was stopped held a search for minutes). So each exchange runs on its own thread, and the caller leaves when the
/// time is over. At most as many threads hang as there may be connections, and they end when the server answers or the
/// connection breaks. Requests do not ask a server that failed until a probe beside them has found it recovered.
/// </remarks>
internal sealed partial class LdapServer(
    Uri url, LdapOptions options, LdapTrust trust, string method, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly BackOff Probes = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(15));

    private readonly SemaphoreSlim _slots = new(options.Connections);
    private readonly ConcurrentBag<LdapConnection> _idle = []; // bound as the account that looks up users
    private readonly CancellationTokenSource _ending = new();
    private readonly ProbedAvailability _availability = new(Probes, time);

    /// <summary>Whether it answered last time.</summary>
    public bool IsUp => _availability.IsUp;

    /// <summary>As configured.</summary>
    public Uri Url => url;

    /// <summary>Asks something as the account that looks up users; anonymously where there is none.</summary>
    /// <exception cref="LdapUnavailableException">There is no answer.</exception>
    public Task<T> AskAsync<T>(Func<LdapConnection, T> ask) => RunAsync(() =>
    {
        // An idle one may have been closed by the server meanwhile; that says nothing about the server.
        while (_idle.TryTake(out var kept))
        {
            if (TryAsk(kept, ask, out var known))
            {
                _idle.Add(kept);
                return known;
            }
        }

        var connection = Connect();
        try
        {
            Bind(
                connection,
                string.IsNullOrEmpty(options.BindDn)
                    ? null
                    : new NetworkCredential(options.BindDn, options.BindPassword));
            var answer = ask(connection);
            _idle.Add(connection);
            return answer;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    });

    /// <summary>Checks whether a password is the one of an entry.</summary>
    /// <param name="name">The entry's distinguished name.</param>
    /// <param name="password">Never empty.</param>
    /// <param name="then">Asks more as that user, where it is.</param>
    /// <returns>The answer to <paramref name="then"/>; the default where the password is wrong.</returns>
    /// <exception cref="LdapUnavailableException">This cannot be decided.</exception>
    public Task<(bool IsRight, T? Answer)> BindAsync<T>(string name, string password, Func<LdapConnection, T> then)
    {
        // RFC 4513, section 5.1.2: a name with an empty password is an anonymous bind, and succeeds.
        ArgumentException.ThrowIfNullOrEmpty(password);
        return RunAsync(() =>
        {
            using var connection = Connect();
            try
            {
                connection.Bind(new NetworkCredential(name, password));
            }
            catch (LdapException exception)
                when (exception.ErrorCode is InvalidCredentials or NoSuchObject or InvalidDnSyntax)
            {
                return (false, default(T));
            }

            return (true, then(connection));
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ending.Cancel();
        _availability.Dispose();
        while (_idle.TryTake(out var connection))
        {
            connection.Dispose();
        }
    }

    // RFC 4511, section 4.1.9, and libldap's own.
    private const int InvalidCredentials = 49, NoSuchObject = 32, InvalidDnSyntax = 34, LibraryErrors = 81;

    private static bool TryAsk<T>(LdapConnection connection, Func<LdapConnection, T> ask, out T answer)
    {
        try
        {
            answer = ask(connection);
            return true;
        }
        catch (LdapException)
        {
            connection.Dispose();
            answer = default!;
            return false;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private async Task<T> RunAsync<T>(Func<T> work)
    {
        if (!IsUp)
        {
            throw new LdapUnavailableException($"{url} did not answer recently", LdapFault.Server);
        }

        if (!await _slots.WaitAsync(options.Timeout, _ending.Token))
        {
            throw new LdapUnavailableException(
                $"all {options.Connections} connections to {url} are busy", LdapFault.Server);
        }

        var thread = Task.Factory.StartNew(
            () =>
            {
                try
                {
                    return work();
                }
                finally
                {
                    _slots.Release();
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            return await thread.WaitAsync(options.Timeout, time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            _ = thread.ContinueWith(static late => _ = late.Exception, TaskScheduler.Default);
            throw Fail($"it did not answer within {options.Timeout.TotalSeconds} s", null);
        }
        catch (LdapException exception) when (exception.ErrorCode == InvalidCredentials)
        {
            throw new LdapUnavailableException(
                $"{url} refuses the password of {options.BindDn}. Put the current "
                + "one into bindPasswordFile.", LdapFault.Account, exception);
        }
        catch (LdapException exception)
        {
            throw Fail($"{exception.Message.TrimEnd('.')} ({exception.ErrorCode})", exception);
        }
        catch (Exception exception)
            when (exception is TlsOperationException or BerConversionException or DllNotFoundException)
        {
            throw Fail(exception.Message.TrimEnd('.'), exception);
        }
        catch (DirectoryOperationException exception)
        {
            throw new LdapUnavailableException(
                $"{url} answered {exception.Response?.ResultCode}: {exception.Message}", LdapFault.Server, exception);
        }
    }

    private LdapConnection Connect()
    {
        var isTls = url.Scheme == "ldaps";
        var port = url.Port > 0 ? url.Port : isTls ? 636 : 389;
        var connection = new LdapConnection(new LdapDirectoryIdentifier(url.Host, port))
        {
            AuthType = AuthType.Basic,
            Timeout = options.Timeout,
            AutoBind = false,
        };
        try
        {
            var session = connection.SessionOptions;
            session.ProtocolVersion = 3;
            // another server's word, with our password sent to it
            session.ReferralChasing = ReferralChasingOptions.None;
            if (trust.Folder is not null)
            {
                session.TrustedCertificatesDirectory = trust.Folder;
                session.StartNewTlsSessionContext();
            }

            if (isTls)
            {
                session.SecureSocketLayer = true;
            }
            else if (options.StartTls)
            {
                Greet(connection);
                session.StartTransportLayerSecurity(null); // or it throws: then nothing is sent unencrypted
                connection.AuthType = AuthType.Basic;
            }

            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // The library connects with a bind only, and StartTLS needs a connection (seen with 10.0.15). This bind has neither
    // name nor password, and whether it succeeds does not matter.
    private static void Greet(LdapConnection connection)
    {
        connection.AuthType = AuthType.Anonymous;
        try
        {
            connection.Bind();
        }
        catch (LdapException exception) when (exception.ErrorCode < LibraryErrors)
        {
            // it answers
        }
    }

    private static void Bind(LdapConnection connection, NetworkCredential? account)
    {
        if (account is null)
        {
            connection.AuthType = AuthType.Anonymous;
            connection.Bind();
        }
        else
        {
            connection.Bind(account);
        }
    }

    private LdapUnavailableException Fail(string problem, Exception? cause)
    {
        _availability.TryLose(ProbeAsync, () => Log.Back(logger, method, url), () => BeginOutageAsync(problem));
        return new LdapUnavailableException($"{url}: {problem}", LdapFault.Server, cause);
    }

    private async Task BeginOutageAsync(string problem)
    {
        while (_idle.TryTake(out var connection))
        {
            connection.Dispose();
        }

        var cause = "";
        try
        {
            cause = (await LdapDiagnosis.FindCauseAsync(url, options, trust)).Text;
        }
        finally
        {
            Log.Away(logger, method, url, problem, cause); // the outage is in the log whatever came of the diagnosis
        }
    }

    private async Task ProbeAsync(CancellationToken cancellationToken)
    {
        var probe = Task.Factory.StartNew(
            Probe, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            await probe.WaitAsync(options.Timeout, time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            // one at a time, however long it hangs
            await probe.ContinueWith(static late => _ = late.Exception, TaskScheduler.Default);
            throw;
        }
    }

    // As a request would, save the search.
    private void Probe()
    {
        using var connection = Connect();
        try
        {
            Bind(
                connection,
                string.IsNullOrEmpty(options.BindDn)
                    ? null
                    : new NetworkCredential(options.BindDn, options.BindPassword));
        }
        catch (LdapException exception) when (exception.ErrorCode == InvalidCredentials)
        {
            // It answers; what it says is reported to those who sign in.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1010, LogLevel.Error,
            "{Method}: {Server} is unavailable: {Problem}. {Cause} The gateway asks another server of the directory, "
            + "if there is one; otherwise its users are answered 503. All other ways to sign in still work.")]
        public static partial void Away(ILogger logger, string method, Uri server, string problem, string cause);

        [LoggerMessage(1011, LogLevel.Information, "{Method}: {Server} has recovered.")]
        public static partial void Back(ILogger logger, string method, Uri server);
    }
}
