using System.DirectoryServices.Protocols;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>
/// Asks every server at the start and from time to time, so that faults are reported before anyone signs in, and blocks
/// nothing.
/// </summary>
internal sealed partial class LdapWatch(
    IEnumerable<LdapVerifier> verifiers, TimeProvider time, ILogger<LdapWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly HashSet<string> _said = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            foreach (var verifier in verifiers)
            {
                foreach (var server in verifier.Directory.Servers)
                {
                    await CheckAsync(verifier.Method, server);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task CheckAsync(string method, LdapServer server)
    {
        if (!server.IsUp)
        {
            return; // its own probe checks it
        }

        try
        {
            await server.AskAsync(static connection => connection.SendRequest(
                new SearchRequest("", "(objectClass=*)", SearchScope.Base, "supportedLDAPVersion")));
            _said.Clear();
        }
        catch (LdapUnavailableException exception) when (exception.IsServers)
        {
            // logged by the server
        }
        catch (LdapUnavailableException exception)
        {
            if (_said.Add(exception.Message))
            {
                Log.Misconfigured(logger, method, exception.Message);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1012, LogLevel.Error, "{Method}: {Problem} Until this is fixed, its users are answered 503.")]
        public static partial void Misconfigured(ILogger logger, string method, string problem);
    }
}
