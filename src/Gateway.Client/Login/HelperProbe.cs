using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Gateway.Client.Login;

/// <summary>
/// Runs the credential helper on the PATH exactly as docker and podman do, to see whether it answers.
/// </summary>
internal static class HelperProbe
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private static readonly string FileName = CredentialHelper.ExecutableName
        + (OperatingSystem.IsWindows() ? ".exe" : "");

    /// <summary>Whether there is a helper that answers, by the one request that needs no sign-in.</summary>
    /// <returns>What is wrong; <see langword="null"/> if it answers.</returns>
    public static async Task<string?> FindProblemAsync(CancellationToken cancellationToken)
    {
        var (file, answer, problem) = await AskAsync("list", "", cancellationToken);
        return problem
            ?? (CredentialHelper.IsList(answer)
                ? null
                : $"{file} does not answer \"list\" as a credential helper does");
    }

    /// <summary>Whether it returns a sign-in that was just stored, which docker requests before a pull.</summary>
    /// <returns>What is wrong, without any secret; <see langword="null"/> if it does.</returns>
    public static async Task<string?> FindProblemAsync(
        string registry, string secret, CancellationToken cancellationToken)
    {
        var (file, answer, problem) = await AskAsync("get", registry, cancellationToken);
        return problem ?? (CredentialHelper.SecretIn(answer) == secret
            ? null
            : $"{file} does not return the sign-in that was just stored");
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
            // Its interpreter is missing, or it is for another architecture.
            return (file, "", $"{file} cannot be run: {exception.Message}");
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
                CultureInfo.InvariantCulture,
                $"{file} {action} exits with code {process.ExitCode}{(said.Length > 0 ? ": " + said : "")}"));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            return (file, "", string.Create(
                CultureInfo.InvariantCulture, $"{file} did not answer within {Timeout.TotalSeconds:0} seconds"));
        }
    }

    // A helper that exits before it has read its input is judged by its exit code.
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

    // As exec does: the first on the PATH that is executable. A broken link or a folder does not count.
    private static string? Find() => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Select(static folder => Path.Combine(folder, FileName))
        .FirstOrDefault(static file => File.Exists(file) && IsExecutable(file));

    private static bool IsExecutable(string file)
    {
        try
        {
            return OperatingSystem.IsWindows()
                || (File.GetUnixFileMode(
                    file) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // a broken link, for which File.Exists is true
        }
    }
}
