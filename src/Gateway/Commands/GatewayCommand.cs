using System.CommandLine;

namespace Gateway.Commands;

/// <summary>The <c>gateway</c> command: the list of its subcommands.</summary>
internal static class GatewayCommand
{
    /// <summary>EX_CONFIG of sysexits.h: a restart cannot help.</summary>
    public const int ConfigurationProblem = 78;

    public static RootCommand Create() => new("An authentication gateway in front of a Docker/OCI registry.")
    {
        ServeCommand.Create(),
        HealthCheckCommand.Create(),
        DevCertCommand.Create(),
        ConfigCommand.Create(),
        DoctorCommand.Create(),
        UserCommand.Create(),
        TokenCommand.Create(),
        IdentityCommand.Create(),
        PolicyCommand.Create(),
        KeysCommand.Create(),
        LimitsCommand.Create(),
        AuditCommand.Create(),
        BackupCommand.CreateBackup(),
        BackupCommand.CreateRestore(),
        TrustCommand.Create(),
        LoginCommand.CreateLogin(),
        LoginCommand.CreateLogout(),
        LoginCommand.CreateHelper(),
    };
}
