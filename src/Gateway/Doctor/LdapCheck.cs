#pragma warning disable CA1416 // the gateway runs on Linux
using System.DirectoryServices.Protocols;
using Gateway.Client.Doctor;
using Gateway.Foundation.Configuration;
using Gateway.Server.SignIn.Ldap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Doctor;

/// <summary>Each directory's servers: TLS, the account that looks users up, users and their groups.</summary>
internal sealed class LdapCheck : IServerCheck
{
    private const int FewUsers = 5;

    /// <inheritdoc/>
    public string Area => "LDP";

    /// <inheritdoc/>
    public string Subject => "the directories";

    /// <inheritdoc/>
    public async Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        if (examined.Options.Authentication.Ldap.Count == 0)
        {
            return;
        }

        if (LdapLibrary.Check() is { } missing)
        {
            diagnosis.Error("LDP007", "libldap", SettingProblems.EvidenceOf(missing), missing.Fix);
            return;
        }

        foreach (var (name, options) in examined.Options.Authentication.Ldap)
        {
            try
            {
                LdapLibrary.Harden(options.Timeout);
                using var trust = LdapTrust.Load(options.CertificateAuthority);
                foreach (var url in options.Servers)
                {
                    await diagnosis.AttemptAsync(
                        Area, $"{name} at {url.GetLeftPart(UriPartial.Authority)}",
                        () => InspectAsync(
                            $"{name} at {url.GetLeftPart(UriPartial.Authority)}", url, options, trust, examined,
                            diagnosis), cancellationToken);
                }
            }
            catch (ProblemException exception)
            {
                foreach (var problem in exception.Problems)
                {
                    diagnosis.Error("LDP002", problem.Source, SettingProblems.EvidenceOf(problem), problem.Fix);
                }
            }
        }
    }

    private async Task InspectAsync(
        string subject, Uri url, LdapOptions options, LdapTrust trust, ExaminedGateway examined, Diagnosis diagnosis)
    {
        if (url.Scheme == "ldap" && !options.StartTls && !url.IsLoopback)
        {
            diagnosis.Warn("LDP003", subject, "passwords are sent over the network unencrypted (allowPlain)");
        }

        using var server = new LdapServer(url, options, trust, "ldap", examined.Time, NullLogger.Instance);
        using var directory = new LdapDirectory(options, [server]);
        try
        {
            if (!directory.CanSearch)
            {
                // The gateway binds as the user. Without a user's password the doctor can only see whether the
                // directory answers.
                await server.AskAsync(
                    static connection => connection.SendRequest(
                        new SearchRequest("", "(objectClass=*)", SearchScope.Base, "supportedLDAPVersion")));
                diagnosis.Inform(
                    "LDP008", subject,
                    "it answers; users and groups were not checked, since no account looks them up (userDn)");
                return;
            }

            var names = await server.AskAsync(connection => FindSome(connection, options));
            if (names.Count == 0)
            {
                diagnosis.Error(
                    "LDP005", subject, $"no entry below {options.SearchBase} matches {options.UserFilter} and has "
                        + $"{options.NameAttribute}");
                return;
            }

            var groups = new SortedSet<string>(StringComparer.Ordinal);
            foreach (var name in names)
            {
                groups.UnionWith((await directory.FindAsync(name))?.Groups ?? []);
            }

            if (groups.Count == 0)
            {
                diagnosis.Warn(
                    "LDP006", subject,
                    $"none of {names.Count} users is in a group (" + (options.Groups.Attribute.Length > 0
                        ? $"groups.attribute: {options.Groups.Attribute})"
                        : $"groups.base: {options.Groups.Base})"));
            }
            else
            {
                diagnosis.Pass(
                    Area, subject, $"users are found, and groups such as {string.Join(", ", groups.Take(3))}");
            }
        }
        catch (LdapUnavailableException exception)
        {
            LdapCause? cause = exception.IsServers ? await LdapDiagnosis.FindCauseAsync(url, options, trust) : null;
            diagnosis.Error(
                IdOf(exception.Fault, cause), subject,
                cause is { } known ? $"{exception.Message.TrimEnd('.')}. {known.Text}" : exception.Message);
        }
    }

    private static string IdOf(LdapFault fault, LdapCause? cause) => fault switch
    {
        LdapFault.Account => "LDP004",
        LdapFault.Users => "LDP005",
        LdapFault.Groups => "LDP006",
        _ => cause is { IsTls: true } ? "LDP002" : "LDP001",
    };

    private static List<string> FindSome(LdapConnection connection, LdapOptions options)
    {
        var filter = options.UserFilter.Replace("{name}", "*", StringComparison.Ordinal);
        SearchResponse response;
        try
        {
            response = (SearchResponse)connection.SendRequest(
                new SearchRequest(options.SearchBase, filter, SearchScope.Subtree, options.NameAttribute)
                {
                    SizeLimit = FewUsers,
                });
        }
        catch (DirectoryOperationException exception)
            when (exception.Response is SearchResponse { ResultCode: ResultCode.SizeLimitExceeded } many)
        {
            response = many;
        }
        catch (DirectoryOperationException exception) when (exception.Response?.ResultCode == ResultCode.NoSuchObject)
        {
            throw new LdapUnavailableException(
                $"the directory has no {options.SearchBase}. Fix searchBase.", LdapFault.Users, exception);
        }

        return [
            .. response.Entries.Cast<SearchResultEntry>().SelectMany(
                entry => LdapDirectory.TextsOf(entry, options.NameAttribute).Take(1)),
        ];
    }
}
