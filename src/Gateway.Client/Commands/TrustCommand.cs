using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Gateway.Client.Doctor.Client;
using Gateway.Client.Trust;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Trust;

namespace Gateway.Client.Commands;

/// <summary>What a configuration of the server says about the registry and its authority.</summary>
/// <param name="FindFile">The configuration file that the environment names, if any.</param>
/// <param name="Read">Reads the public URL and the authority's file from a configuration file.</param>
internal sealed record TrustDefaults(
    Func<FileInfo?> FindFile, Func<FileInfo, (string? Url, string? Authority)> Read);

/// <summary>
/// <c>gateway trust</c>: prints how to make clients trust a private authority, or does it on this machine.
/// </summary>
internal static class TrustCommand
{
    private const int LeftToDo = 1;
    private const string AllClients = "all";

    private static readonly TimeSpan LongestCommand = TimeSpan.FromMinutes(2);

    private static readonly Option<string[]> Clients = CreateClients();

    private static readonly Option<bool> Install = new("--install")
    {
        Description = "Writes the files on this machine (Linux) for the clients that are installed or named, after "
            + "showing them and asking.",
    };

    private static readonly Option<bool> DryRun = new("--dry-run")
    {
        Description = "With --install: prints what would be done, and writes nothing.",
    };

    private static readonly Option<bool> Yes = new("--yes", "-y")
    {
        Description = "With --install: does not ask for confirmation.",
    };

    private static readonly Option<DirectoryInfo?> Root = new("--root")
    {
        Description = "The root of the machine's file system.",
        Hidden = true,
    };

    /// <summary>Creates the command.</summary>
    /// <param name="defaults">
    /// What a server's configuration says where the command line does not; <see langword="null"/> where there is none.
    /// </param>
    public static Command Create(TrustDefaults? defaults = null)
    {
        var authority = new Option<FileInfo?>("--ca")
        {
            Description = "The authority's certificate, PEM."
                + (defaults is null ? "" : " Default: tls.authority of --config."),
        };
        var host = new Option<string?>("--host")
        {
            Description = "The registry as clients name it: registry.example.com, registry.example.com:8443."
                + (defaults is null ? "" : " Default: publicUrl of --config."),
        };
        var config = new Option<FileInfo?>("--config", "-c")
        {
            Description = "A configuration file that names the host and the authority.",
        };
        var command = new Command(
            "trust", "Prints how to make clients trust a private authority, or does it on this machine.")
        {
            authority, host,
        };
        if (defaults is not null)
        {
            command.Add(config);
        }

        command.With(Clients, Install, DryRun, Yes, Root);
        command.SetAction((result, cancellationToken) => RunAsync(
            result,
            () => Ask(
                result.GetValue(authority), result.GetValue(host),
                defaults is null ? null : result.GetValue(config), defaults),
            cancellationToken));
        return command;
    }

    private static Option<string[]> CreateClients()
    {
        var option = new Option<string[]>("--client")
        {
            Description = "docker, podman, containerd, kubernetes, system or all; may be given several times. Default "
                + "with --install: the installed clients, but not the system's store.",
        };
        option.Validators.Add(static result =>
        {
            foreach (var token in result.Tokens.Where(
                static token => token.Value != AllClients && !TryParse(token.Value, out _)))
            {
                result.AddError(
                    $"--client: there is no such client (found \"{token.Value}\"). Give docker, podman, containerd, "
                        + "kubernetes, system or all.");
            }
        });
        return option;
    }

    // Enum.TryParse also accepts numbers and lists.
    private static bool TryParse(string text, out TrustClient client) =>
        Enum.TryParse(text, ignoreCase: true, out client)
        && client.ToString().Equals(text, StringComparison.OrdinalIgnoreCase);

    private static async Task<int> RunAsync(
        ParseResult result, Func<(RegistryName Name, string File, string Setting)> ask,
        CancellationToken cancellationToken)
    {
        var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
        try
        {
            var (name, file, setting) = ask();
            var authority = PrivateAuthorityReader.Read(file, setting, TimeProvider.System.GetUtcNow());
            foreach (var warning in authority.Warnings)
            {
                await error.WriteLineAsync($"warning: {warning}");
            }

            await output.WriteLineAsync($"registry    {name.Text}");
            TrustText.WriteAuthority(authority, output);
            var selection = Select(result);
            if (result.GetValue(Install) || result.GetValue(DryRun))
            {
                return await InstallAsync(result, name, authority, selection, cancellationToken);
            }

            await output.WriteLineAsync();
            await output.WriteLineAsync($"ca.crt, from {file}:");
            await output.WriteAsync(authority.Pem);
            TrustText.WriteGuide(
                TrustGuide.Write(name, file, authority.Pem).Where(section => selection.Shows(section.Client)), output);
            return 0;
        }
        catch (ProblemException exception)
        {
            return ProblemReport.Write(error, exception.Problems);
        }
    }

    private static (RegistryName Name, string File, string Setting) Ask(
        FileInfo? file, string? host, FileInfo? config, TrustDefaults? defaults)
    {
        if (config is null && host is null && file is null)
        {
            config = defaults?.FindFile(); // set where the service runs, as in its container
        }

        var (url, authority) = config is null || defaults is null ? default : defaults.Read(config);
        var setting = host is null ? "publicUrl" : "--host";
        if ((host ?? url) is not { } text)
        {
            throw new ProblemException(new Problem(
                "--host", "the registry is missing", null,
                "Give --host registry.example.com, with the port if clients use one"
                    + (defaults is null ? "." : "; or --config gateway.yaml.")));
        }

        if (!RegistryName.TryParse(text, out var name))
        {
            throw new ProblemException(new Problem(
                setting, "clients cannot use this as the name of a registry", text,
                "Write registry.example.com, or registry.example.com:8443; trust applies to https only."));
        }

        if (file is not null)
        {
            return File.Exists(file.FullName)
                ? (name, file.FullName, "--ca")
                : throw new ProblemException(new Problem("--ca", "no such file", file.FullName, HowToGetIt(name)));
        }

        return authority is { } configured
            ? (name, configured, "tls.authority")
            : throw new ProblemException(new Problem("--ca", "the authority's certificate is missing",
                null, HowToGetIt(name)));
    }

    // Fetching it here, over a connection that is not trusted yet, would mean trusting anyone who answers.
    private static string HowToGetIt(RegistryName name) =>
        "Get it from the operator of the registry over a channel that you trust (on the gateway's machine: ca.crt, "
            + $"which gateway dev-cert created, or the file that tls.authority names). If {name.Url}/trust/ca.crt "
            + "offers it, compare its fingerprint with one that you got in another way. Then give --ca FILE.";

    private static TrustSelection Select(ParseResult result)
    {
        var texts = result.GetValue(Clients) ?? [];
        var named = new HashSet<TrustClient>();
        foreach (var text in texts)
        {
            if (TryParse(text, out var client))
            {
                named.Add(client);
            }
        }

        return new TrustSelection(named, texts.Contains(AllClients));
    }

    private static async Task<int> InstallAsync(
        ParseResult result, RegistryName name, PrivateAuthority authority, TrustSelection selection,
        CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new ProblemException(new Problem(
                "--install", "writes files on Linux only", Environment.OSVersion.Platform.ToString(),
                "Leave --install out to print what to do."));
        }

        var output = result.InvocationConfiguration.Output;
        var files = new ClientMachine(result.GetValue(Root)?.FullName ?? "/", ProcessEnvironment.Read());
        var plan = new TrustPlanner(new TrustMachine(files, Environment.IsPrivilegedProcess), name, authority).Plan(
            selection);
        TrustText.WritePlan(plan, output);
        var isDone = plan.ByHand.Count == 0;
        if (result.GetValue(DryRun))
        {
            await output.WriteLineAsync("\nNothing was written: --dry-run.");
            return isDone ? 0 : LeftToDo;
        }

        if (!plan.HasWork)
        {
            await output.WriteLineAsync("\nThere is nothing to write.");
            return isDone ? 0 : LeftToDo;
        }

        if (!result.GetValue(Yes) && !Agrees(result.InvocationConfiguration.Error))
        {
            await output.WriteLineAsync("Nothing was written.");
            return LeftToDo;
        }

        foreach (var step in plan.Steps.Where(static step => step.Action != TrustAction.Keep))
        {
            var kept = TrustInstaller.Write(files, step);
            await output.WriteLineAsync(
                $"wrote {step.Path}{(kept is null ? "" : $"; the previous file is now {kept}")}");
        }

        if (plan.Command is { } command)
        {
            await RunStoreAsync(command, files, output, cancellationToken);
        }

        return isDone ? 0 : LeftToDo;
    }

    private static bool Agrees(TextWriter prompt)
    {
        if (Console.IsInputRedirected)
        {
            throw new ProblemException(new Problem(
                "--install", "needs confirmation, but standard input is not a terminal", null,
                "Give --yes, or --dry-run to see what would be done."));
        }

        prompt.Write("Do this? [y/N] ");
        prompt.Flush();
        return Console.ReadLine()?.Trim().ToLowerInvariant() is "y" or "yes";
    }

    private static async Task RunStoreAsync(
        string command, ClientMachine files, TextWriter output, CancellationToken cancellationToken)
    {
        if (files.Root != "/")
        {
            await output.WriteLineAsync($"not run: {command}, which belongs to another machine");
            return;
        }

        try
        {
            using var process = Process.Start(new ProcessStartInfo(command) { RedirectStandardInput = true })!;
            process.StandardInput.Close();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(LongestCommand);
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode != 0)
            {
                throw new ProblemException(new Problem(
                    command, "failed", process.ExitCode.ToString(CultureInfo.InvariantCulture),
                    "The files are written; run it by hand to see why it fails."));
            }
        }
        catch (Win32Exception exception)
        {
            throw new ProblemException(
                new Problem(
                    command, "cannot be run", exception.Message,
                    "The files are written; install the package ca-certificates and run it."));
        }
        catch (OperationCanceledException)
        {
            throw new ProblemException(new Problem(
                command, "took too long", null, "The files are written; run it by hand."));
        }

        await output.WriteLineAsync($"ran {command}");
    }
}
