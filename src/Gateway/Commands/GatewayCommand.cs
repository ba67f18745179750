using System.CommandLine;
using Gateway.Client.Commands;

namespace Gateway.Commands;

/// <summary>The <c>gateway</c> command: the list of its subcommands.</summary>
internal static class GatewayCommand
{
    public static RootCommand Create() => new("An authentication gateway in front of a Docker/OCI registry.")
    {
        ServeCommand.Create(),
        HealthCheckCommand.Create(),
        DevCertCommand.Create(),
        ConfigCommand.Create(),
        ServerDoctorCommand.Create(),
        UserCommand.Create(),
        TokenCommand.Create(),
        IdentityCommand.Create(),
        PolicyCommand.Create(),
        KeysCommand.Create(),
        LimitsCommand.Create(),
        AuditCommand.Create(),
        BackupCommand.CreateBackup(),
        BackupCommand.CreateRestore(),
        TrustCommand.Create(new TrustDefaults(ConfigOption.Named, ReadTrust)),
        LoginCommand.CreateLogin(),
        LoginCommand.CreateLogout(),
        LoginCommand.CreateHelper(),
    };

    private static (string? Url, string? Authority) ReadTrust(FileInfo file)
    {
        var options = ConfigOption.Load(file);
        return (options.PublicUrl?.OriginalString, options.Tls.Authority);
    }
}
