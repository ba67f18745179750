using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Text;

namespace Gateway.Client.Doctor.Client;

/// <summary>
/// The files of docker, podman and containerd that decide how the registry is reached and signed in at.
/// </summary>
internal static class ClientFiles
{
    private const string Daemon = "/etc/docker/daemon.json";

    private const int LargestOutput = 1 << 20;

    private static readonly TimeSpan LongestHelper = TimeSpan.FromSeconds(5);

    /// <summary>Runs the step. The other steps run whatever it finds.</summary>
    public static async Task<bool> LookAsync(ClientVisit visit, CancellationToken cancellationToken)
    {
        var (question, machine, diagnosis) = (visit.Question, visit.Question.Machine, visit.Diagnosis);
        _ = machine.ReadJson(Daemon, out var fault);
        if (fault is not null)
        {
            diagnosis.Error("DCK002", Daemon, fault);
        }
        else if (TrustStores.IsInsecureForDocker(machine, question))
        {
            diagnosis.Warn(
                "DCK001", Daemon,
                $"insecure-registries has {question.Name}: dockerd accepts any certificate from it, and plain HTTP");
        }

        if (TrustStores.IsInsecureForPodman(machine, question))
        {
            diagnosis.Warn("DCK001", "/etc/containers/registries.conf", $"insecure = true for {question.Name}");
        }

        InspectTrustFolder(question, diagnosis);
        foreach (var file in LoginFilesOf(machine))
        {
            await InspectLoginsAsync(visit, file, cancellationToken);
        }

        return true;
    }

    /// <summary>The file of docker's client.</summary>
    internal static string DockerFileOf(ClientMachine machine) =>
        machine.Variable("DOCKER_CONFIG") is { } folder
            ? $"{folder}/config.json"
            : $"{machine.Home}/.docker/config.json";

    /// <summary>Where logins are stored, as docker and podman look for them.</summary>
    private static IEnumerable<string> LoginFilesOf(ClientMachine machine)
    {
        yield return DockerFileOf(machine);
        yield return machine.Variable("REGISTRY_AUTH_FILE")
            ?? (machine.Variable("XDG_RUNTIME_DIR") is { } runtime
                ? $"{runtime}/containers/auth.json"
                : "/run/containers/0/auth.json");
    }

    // moby, registry/config: "*.crt" is an authority, "*.cert" a client's certificate that needs its "*.key".
    private static void InspectTrustFolder(ClientQuestion question, Diagnosis diagnosis)
    {
        foreach (var root in new[] { "/etc/docker/certs.d", "/etc/containers/certs.d" })
        {
            var folder = $"{root}/{question.Name}";
            foreach (var file in question.Machine.Files(folder, "*.cert").Where(
                file => !question.Machine.Has(Path.ChangeExtension(file, ".key"))))
            {
                diagnosis.Error(
                    "DCK006", file, "a client's certificate without its key: dockerd refuses the whole folder",
                    $"If it is an authority: mv {ShellWord.Of(file)} "
                        + $"{ShellWord.Of(Path.ChangeExtension(file, ".crt"))}");
            }
        }
    }

    private static async Task InspectLoginsAsync(ClientVisit visit, string file, CancellationToken cancellationToken)
    {
        var (question, machine, diagnosis) = (visit.Question, visit.Question.Machine, visit.Diagnosis);
        var root = machine.ReadJson(file, out var fault);
        if (fault is not null)
        {
            diagnosis.Error("DCK008", file, fault);
        }

        if (root is not { } config)
        {
            return;
        }

        var helper = Member(config, "credHelpers")?.Text(question.Name) ?? config.Text("credsStore");
        if (helper is not null)
        {
            await InspectHelperAsync(visit, file, helper, cancellationToken);
        }

        if (Member(config, "auths") is not { ValueKind: JsonValueKind.Object } auths)
        {
            return;
        }

        foreach (var entry in auths.EnumerateObject())
        {
            var isMeant = IsKeyOf(entry.Name, question.Name);
            var hasSecret = entry.Value.ValueKind == JsonValueKind.Object
                && (entry.Value.Text("auth") is { Length: > 0 }
                || entry.Value.Text("identitytoken") is { Length: > 0 });
            if (isMeant && hasSecret && entry.Value.Text("identitytoken") is null)
            {
                diagnosis.Warn(
                    "DCK003", file, $"the login for {entry.Name} is stored in plain text (base64)",
                    "Run docker login again if refresh tokens are on; or use a credential helper: gateway login, "
                        + "docker-credential-pass, -secretservice, -osxkeychain, -wincred");
            }

            if (isMeant && helper is null && hasSecret)
            {
                visit.Diagnosis.Pass("DCK", file, $"a login for {entry.Name} is stored");
            }
            else if (!isMeant && hasSecret && HostOf(entry.Name) == question.Host)
            {
                diagnosis.Warn(
                    "DCK005", file, $"a login for \"{entry.Name}\" is stored, but \"{question.Name}\" is used",
                    $"docker logout {ShellWord.Of(entry.Name)}; docker login {ShellWord.Of(question.Name)}");
            }
        }
    }

    // "list" returns addresses and names, never a secret.
    private static async Task InspectHelperAsync(
        ClientVisit visit, string file, string helper, CancellationToken cancellationToken)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        var program = "docker-credential-" + helper;
        if (helper.Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
            || question.Machine.ProgramOf(program) is not { } path)
        {
            diagnosis.Error("DCK004", file, $"{program} is not on the PATH");
            return;
        }

        if (question.Machine.Root != "/")
        {
            diagnosis.NotRun("DCK", program, "programs of another machine are not run");
            return;
        }

        try
        {
            // By its full path: a bare name is looked up in the current folder first.
            using var process = Process.Start(
                new ProcessStartInfo(path, "list")
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                    RedirectStandardInput = true,
                })!;
            process.StandardInput.Close();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(LongestHelper);
            try
            {
                var errors = process.StandardError.BaseStream.CopyToAsync(Stream.Null, limit.Token);
                var output = await ReadOutputAsync(process.StandardOutput.BaseStream, limit.Token);
                await errors;
                await process.WaitForExitAsync(limit.Token);
                using var document = JsonDocument.Parse(output);
                ReportLogins(
                    visit, program, [.. document.RootElement.EnumerateObject().Select(static one => one.Name)]);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                diagnosis.Warn("DCK004", program, $"it does not answer within {DoctorText.Span(LongestHelper)}");
            }
            finally
            {
                if (!process.HasExited)
                {
                    process.Kill(entireProcessTree: true);
                }
            }
        }
        catch (Exception exception)
            when (exception is System.ComponentModel.Win32Exception or JsonException or InvalidOperationException
                or IOException)
        {
            diagnosis.Warn("DCK004", program, DoctorText.Of(exception));
        }
    }

    private static void ReportLogins(ClientVisit visit, string program, List<string> names)
    {
        var (question, diagnosis) = (visit.Question, visit.Diagnosis);
        if (names.Exists(name => IsKeyOf(name, question.Name)))
        {
            diagnosis.Pass("DCK", program, $"it has a login for {question.Name}");
        }
        else if (names.Find(name => HostOf(name) == question.Host) is { } other)
        {
            diagnosis.Warn(
                "DCK005", program, $"it has a login for \"{other}\", but \"{question.Name}\" is used",
                $"docker login {ShellWord.Of(question.Name)}");
        }
        else
        {
            diagnosis.Inform(
                "DCK009", program, $"it has no login for {question.Name}",
                $"docker login {ShellWord.Of(question.Name)}");
        }
    }

    private static async Task<string> ReadOutputAsync(Stream output, CancellationToken cancellationToken)
    {
        var bytes = new byte[LargestOutput + 1];
        var length = await output.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= LargestOutput
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : throw new IOException("its list does not end");
    }

    /// <summary>
    /// The login that docker would use, decoded; <see langword="null"/> where none is stored in a file.
    /// </summary>
    public static (string User, string Secret, bool IsRefreshToken)? StoredLoginOf(ClientQuestion question)
    {
        foreach (var file in LoginFilesOf(question.Machine))
        {
            if (question.Machine.ReadJson(file, out _) is not { } config
                || Member(config, "auths") is not { ValueKind: JsonValueKind.Object } auths)
            {
                continue;
            }

            foreach (var entry in auths.EnumerateObject().Where(
                entry => IsKeyOf(entry.Name, question.Name) && entry.Value.ValueKind == JsonValueKind.Object))
            {
                if (entry.Value.Text("auth") is { Length: > 0 } auth && Decode(auth) is [var user, var password])
                {
                    return entry.Value.Text("identitytoken") is { Length: > 0 } token
                        ? (user, token, true)
                        : (user, password, false);
                }
            }
        }

        return null;
    }

    private static string[]? Decode(string auth)
    {
        var bytes = new byte[auth.Length];
        return Convert.TryFromBase64String(auth, bytes, out var length)
            ? Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\0').Split(':', 2)
            : null;
    }

    // docker treats "host", "https://host", "https://host/v2/" and the like as the same.
    private static bool IsKeyOf(string key, string name) => Trim(key) == name;

    private static string HostOf(string key) => Trim(key).Split(':')[0];

    private static string Trim(string key)
    {
        var text = key.StartsWith("https://", StringComparison.Ordinal)
            ? key[8..]
            : key.StartsWith("http://", StringComparison.Ordinal) ? key[7..] : key;
        return text.Split('/')[0];
    }

    private static JsonElement? Member(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value : null;
}
