#pragma warning disable CA1416 // the gateway runs on Linux
using System.Runtime.InteropServices;
using Gateway.Foundation.Configuration;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// The trail of one command that changes what a gateway goes by. It writes to the gateway's own file, also while that
/// runs (<see cref="AuditFile"/>); standard output is the command's own and gets no lines.
/// </summary>
internal sealed partial class CommandAudit : IAuditLog, IDisposable
{
    private readonly AuditFile? _file;
    private readonly AuditOptions _options;
    private readonly Action<string> _warn;

    private CommandAudit(AuditFile? file, AuditOptions options, Action<string> warn) =>
        (_file, _options, _warn) = (file, options, warn);

    /// <summary>Whether a change could not be recorded although it was made.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Records, before it has any effect, that a command runs.</summary>
    /// <param name="options">The section.</param>
    /// <param name="fileOptions">
    /// Those of the file, its path filled in; <see langword="null"/> where there is none.
    /// </param>
    /// <param name="command">The command: <c>token create</c>.</param>
    /// <param name="target">Whom or what it changes; <see langword="null"/> where the lines that follow say it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="warn">Told what could not be recorded, but is done all the same.</param>
    /// <exception cref="ProblemException">
    /// It cannot be recorded, and <c>audit.onFailure</c> is <c>block</c>.
    /// </exception>
    public static CommandAudit Begin(
        AuditOptions options, AuditFileOptions? fileOptions, string command, string? target, TimeProvider time,
        Action<string> warn)
    {
        var audit = new CommandAudit(
            fileOptions is null ? null : new AuditFile(fileOptions, time), options, warn);
        try
        {
            audit.Write(new CommandEntry(time.GetUtcNow())
            {
                Command = command,
                Target = target,
                Account = Environment.UserName,
                UserId = EffectiveUser(),
            });
            return audit;
        }
        catch (IOException exception)
        {
            if (options.OnFailure == AuditFailureMode.DropAndCount)
            {
                warn($"{fileOptions!.Path}: this command is not recorded: {exception.Message}");
                return audit;
            }

            audit.Dispose();
            throw new ProblemException(new Problem(
                fileOptions!.Path!, "the audit file cannot be written, so nothing was changed", exception.Message,
                "Run the command as the gateway's account, and make sure that the disk has free space."));
        }
    }

    /// <inheritdoc/>
    public void Record(AuditEntry entry)
    {
        try
        {
            Write(entry);
        }
        catch (IOException exception)
        {
            // It is done, and that somebody was about to do it is on record.
            HasFailed = true;
            _warn($"The change was made, but was not recorded in the audit file: {exception.Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private void Write(AuditEntry entry)
    {
        try
        {
            _file?.Write([entry], _options.WriteAhead);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new IOException(exception.Message, exception);
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
