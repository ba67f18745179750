using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Gateway.Client.Commands;
using Gateway.Client.Doctor;
using Gateway.Doctor;
using Gateway.Foundation.Configuration;

namespace Gateway.Commands;

/// <summary><c>gateway doctor</c> where the server's own files are.</summary>
internal static class ServerDoctorCommand
{
    private static readonly Option<FileInfo> Config = ConfigOption.Create();

    public static Command Create() => DoctorCommand.Create(Config, ExamineAsync);

    private static Task<Diagnosis> ExamineAsync(
        ParseResult result, X509Certificate2Collection? authorities, bool mayProbeUploads,
        CancellationToken cancellationToken) =>
        ServerDoctor.ExamineAsync(
            result.GetRequiredValue(Config).FullName,
            ProcessEnvironment.Read(),
            options => new ExaminedGateway(options, TimeProvider.System)
            {
                Authorities = authorities,
                MayProbeUploads = mayProbeUploads,
                IsInContainer = File.Exists("/.dockerenv") || File.Exists("/run/.containerenv")
                    || Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST") is not null,
            },
            cancellationToken);
}
