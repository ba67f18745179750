using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Gateway.Client.Login;

/// <summary>Asks the credential helper on the PATH whether it answers, exactly as docker and podman would call it.</summary>
internal static class HelperProbe
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private static readonly string FileName = CredentialHelper.ExecutableName + (OperatingSystem.IsWindows() ? ".exe" : "");

    /// <summary>Whether there is one that answers at all: the question that needs no sign-in.</summary>
    /// <returns>What is wrong; <see langword="null"/> where it answers.</returns>
    public static async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        var (file, answer, problem) = await AskAsync("list", "", cancellationToken);
        return problem ?? (CredentialHelper.IsList(answer) ? null : $"{file} answers \"list\" with something else than a credential helper does");
    }

    /// <summary>Whether it gives docker a sign-in that was just stored, which is what docker asks before a pull.</summary>
    /// <returns>What is wrong, without any secret; <see langword="null"/> where it does.</returns>
    public static async Task<string?> FindProblemAsync(string registry, string secret, CancellationToken cancellationToken)
    {
        var (file, answer, problem) = await AskAsync("get", registry, cancellationToken);
        return problem ?? (CredentialHelper.SecretIn(answer) == secret ? null : $"{file} does not give out the sign-in that was just stored");
    }

    private static async Task<(string? File, string Answer, string? Problem)> AskAsync(
        string action, string input, CancellationToken cancellationToken)
    {
        if (Find() is not { } file)
        {
            return (null, "", "it is not on the PATH");
        }

        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(file, [action])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Timeout);
        try
        {
            process.Start();
        }
        catch (Win32Exception exception)
        {
            return (file, "", $"{file} cannot be run: {exception.Message}"); // its interpreter is missing, or another machine's program
        }

        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var error = process.StandardError.ReadToEndAsync(patience.Token);
            await WriteAsync(process.StandardInput, input);
            await process.WaitForExitAsync(patience.Token);
            var answer = await output;
            var said = (await error).Split('\n')[0].Trim();
            return (file, answer, process.ExitCode == 0 ? null : string.Create(
                CultureInfo.InvariantCulture, $"{file} {action} ends with exit code {process.ExitCode}{(said.Length > 0 ? ": " + said : "")}"));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            return (file, "", string.Create(
                CultureInfo.InvariantCulture, $"{file} did not answer within {Timeout.TotalSeconds:0} seconds"));
        }
    }

    // One that ends before it has read is judged by its exit code.
    private static async Task WriteAsync(StreamWriter input, string text)
    {
        try
        {
            await input.WriteLineAsync(text);
            input.Close();
        }
        catch (IOException)
        {
        }
    }

    // As exec does: the first on the PATH that may be executed. A broken link or a folder is none.
    private static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(static folder => Path.Combine(folder, FileName))
        .FirstOrDefault(static file => File.Exists(file) && IsExecutable(file));

    private static bool IsExecutable(string file)
    {
        try
        {
            return OperatingSystem.IsWindows()
                || (File.GetUnixFileMode(file) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // a link to nowhere: File.Exists says that it is there
        }
    }
}
