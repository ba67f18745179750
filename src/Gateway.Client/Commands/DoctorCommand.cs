using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Gateway.Client.Doctor;
using Gateway.Client.Doctor.Client;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Trust;

namespace Gateway.Client.Commands;

/// <summary>Examines the gateway of a configuration from the server's side.</summary>
/// <param name="result">The command line, which names the configuration.</param>
/// <param name="authorities">Whom clients trust in addition to the system's; <see langword="null"/>: nobody.</param>
/// <param name="mayProbeUploads">Whether an upload may be started, and cancelled.</param>
/// <param name="cancellationToken">Ends it.</param>
internal delegate Task<Diagnosis> ServerExamination(
    ParseResult result,
    X509Certificate2Collection? authorities,
    bool mayProbeUploads,
    CancellationToken cancellationToken);

/// <summary>
/// <c>gateway doctor</c>: finds what is wrong with sign-ins, pulls and pushes, from the server's side or a client's.
/// </summary>
internal static class DoctorCommand
{
    private static readonly Option<string?> Client = new("--client")
    {
        Description = "Diagnoses this registry as a client sees it instead: https://registry.example.com. Works with "
            + "any registry.",
    };

    private static readonly Option<FileInfo?> Authority = new("--ca")
    {
        Description = "A PEM file with the authority that clients should trust in addition to the system's.",
    };

    private static readonly Option<bool> UploadProbe = new("--upload-probe")
    {
        Description = "Also starts an upload and cancels it, to see where uploads are sent and whether something in "
            + "between breaks them.",
    };

    private static readonly Option<string?> User = new("--user", "-u")
    {
        Description = "With --client: the user to sign in as.",
    };

    private static readonly Option<FileInfo?> PasswordFile = new("--password-file")
    {
        Description = "With --user: a file with the password or token, or \"-\" for standard input. Default: asks on "
            + "the terminal.",
    };

    private static readonly Option<string?> Repository = new("--repository", "-r")
    {
        Description = "With --client: checks what the user may do in this repository.",
    };

    private static readonly Option<string?> Origin = new("--origin")
    {
        Description = "With --client: checks whether pages of this origin may use the registry (CORS).",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Prints one JSON document." };

    private static readonly Option<DirectoryInfo?> Root = new("--root")
    {
        Description = "With --client: reads the files of docker, podman and containerd below this folder instead of /.",
        Hidden = true,
    };

    /// <summary>Creates the command.</summary>
    /// <param name="config">Names the configuration of a server; <see langword="null"/> without a server.</param>
    /// <param name="examineServer">Examines it.</param>
    public static Command Create(Option<FileInfo>? config = null, ServerExamination? examineServer = null)
    {
        var command = new Command(
            "doctor", "Finds what is wrong with sign-ins, pulls and pushes. Exit code: 0 no problems, 1 warnings, 2 "
                + "errors, 3 some checks could not run.")
        {
            Client, Authority, UploadProbe, User, PasswordFile, Repository, Origin, Json, Root,
        };
        if (config is not null)
        {
            command.Options.Insert(0, config);
        }

        command.Add(ExplainCommand.Create(PrintPage));
        command.Add(CreatePages());
        command.SetAction((result, cancellationToken) => RunAsync(result, examineServer, cancellationToken));
        return command;
    }

    private static int PrintPage(string id)
    {
        if (ProblemCatalog.Instance.Find(id) is not { } page)
        {
            Console.Error.WriteLine(
                $"There is no such problem (found \"{DoctorText.OneLine(id)}\"). See the list in docs/problems.");
            return 1;
        }

        Console.Out.Write(ProblemCatalog.Write(page));
        return 0;
    }

    // For the repository's own docs/problems; a test keeps both in step.
    private static Command CreatePages()
    {
        var folder = new Argument<DirectoryInfo>("FOLDER");
        var command = new Command("pages", "Writes the pages of all problems.") { folder };
        command.Hidden = true;
        command.SetAction(result =>
        {
            var path = result.GetRequiredValue(folder).FullName;
            Directory.CreateDirectory(path);
            foreach (var page in ProblemCatalog.Instance.Pages)
            {
                File.WriteAllText(Path.Combine(path, page.Id + ".md"), ProblemCatalog.Write(page));
            }

            File.WriteAllText(Path.Combine(path, "README.md"), ProblemCatalog.Instance.WriteIndex());
        });
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult result, ServerExamination? examineServer, CancellationToken cancellationToken)
    {
        var error = result.InvocationConfiguration.Error;
        X509Certificate2Collection? authorities = null;
        if (result.GetValue(Authority) is { } file && !TryReadAuthorities(file, out authorities, error))
        {
            return ProblemReport.ConfigurationProblem;
        }

        Diagnosis diagnosis;
        if (result.GetValue(Client) is { } text)
        {
            if (!RegistryUrl.TryParse(text, out var url))
            {
                await error.WriteLineAsync(
                    $"--client: this is not the address of a registry (found \"{DoctorText.OneLine(text)}\"). Write "
                        + "https://registry.example.com, with the port if clients use one.");
                return ProblemReport.ConfigurationProblem;
            }

            diagnosis = await ExamineClientAsync(result, url!, authorities, cancellationToken);
        }
        else if (examineServer is not null)
        {
            diagnosis = await examineServer(result, authorities, result.GetValue(UploadProbe), cancellationToken);
        }
        else
        {
            await error.WriteLineAsync(
                "--client: the registry is missing. Give --client https://registry.example.com; the server's own "
                    + "files are examined by \"gateway doctor\" on its machine.");
            return ProblemReport.ConfigurationProblem;
        }

        if (result.GetValue(Json))
        {
            using var output = new MemoryStream();
            DoctorReport.WriteJson(diagnosis, output);
            await result.InvocationConfiguration.Output.WriteLineAsync(
                System.Text.Encoding.UTF8.GetString(output.ToArray()));
        }
        else
        {
            DoctorReport.Write(diagnosis, result.InvocationConfiguration.Output);
        }

        return DoctorReport.ExitCodeOf(diagnosis);
    }

    private static Task<Diagnosis> ExamineClientAsync(
        ParseResult result, Uri url, X509Certificate2Collection? authorities, CancellationToken cancellationToken) =>
        ClientDoctor.ExamineAsync(
            new ClientQuestion(url)
            {
                Authorities = authorities,
                User = result.GetValue(User),
                Password = ReadPassword(result),
                Repository = result.GetValue(Repository),
                Origin = result.GetValue(Origin),
                MayProbeUploads = result.GetValue(UploadProbe),
                Machine = new ClientMachine(result.GetValue(Root)?.FullName ?? "/", ProcessEnvironment.Read()),
            },
            TimeProvider.System,
            cancellationToken);

    private static string? ReadPassword(ParseResult result)
    {
        if (result.GetValue(User) is null)
        {
            return null;
        }

        return result.GetValue(PasswordFile) switch
        {
            null => PasswordPrompt.Read(result.InvocationConfiguration.Error, result.GetValue(User)!, isNew: false),
            { Name: "-" } => Console.In.ReadLine(),
            var file => SecretFile.TryRead(file.FullName, out _),
        };
    }

    private static bool TryReadAuthorities(FileInfo file, out X509Certificate2Collection authorities, TextWriter error)
    {
        if (TrustRoots.TryRead(file.FullName, out authorities, out var fault) && authorities.Count > 0)
        {
            return true;
        }

        error.WriteLine(
            $"--ca: {fault ?? "the file holds no certificate"} (found \"{file.FullName}\"). Name the authority's PEM "
                + "file.");
        return false;
    }
}
