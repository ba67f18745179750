using Gateway.Backup;
using Gateway.Client.Doctor;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Rotation;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;

namespace Gateway.Doctor;

/// <summary>The state folder and the store in it, and the tokens in the store that expire soon.</summary>
internal sealed class StateCheck : IServerCheck
{
    /// <inheritdoc/>
    public string Area => "STA";

    /// <inheritdoc/>
    public string Subject => "the state folder";

    /// <inheritdoc/>
    public async Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var options = examined.Options;
        var folder = options.State.Folder;
        if (Directory.Exists(folder) && !CanWrite(folder, out var fault))
        {
            diagnosis.Error(
                "STA001", folder, $"{fault}; the doctor runs as \"{Environment.UserName}\"",
                $"Let the gateway's user write there: chown -R USER {ShellWord.Of(folder)}");
            return;
        }

        try
        {
            StateServiceExtensions.Check(options.State);
        }
        catch (ProblemException exception)
        {
            foreach (var problem in exception.Problems)
            {
                diagnosis.Error("STA002", problem.Source, SettingProblems.EvidenceOf(problem), problem.Fix);
            }

            return;
        }

        if ((StateElsewhere.FindMissingStore(options) ?? StateElsewhere.FindUnusedStore(options)) is { } elsewhere)
        {
            diagnosis.Error("STA004", elsewhere.Source, elsewhere.What, elsewhere.Fix);
            return;
        }

        if (options.State.Store == StateStoreKind.Sqlite && !File.Exists(Path.Combine(folder, SqliteDatabase.FileName)))
        {
            diagnosis.Inform("STA003", folder, "there is no store yet: the first start creates it");
            return;
        }

        if (options.State.Store == StateStoreKind.Redis)
        {
            return; // RedisCheck reports whether it answers
        }

        await using var store = options.OpenStore();
        Report(await store.ListAsync(null, cancellationToken), folder, examined.Time.GetUtcNow(), diagnosis);
    }

    /// <summary>Reports which tokens expire soon.</summary>
    public static void Report(
        IReadOnlyList<StoredCredential> all, string subject, DateTimeOffset now, Diagnosis diagnosis)
    {
        var live = all.Where(one => RotationRules.IsInUse(one, now)).ToList();
        var ending = live.Where(one => RotationRules.IsDue(one, now)).OrderBy(static one => one.ExpiresAt).ToList();
        if (ending.Count > 0)
        {
            diagnosis.Warn(
                "ROT001", subject,
                string.Join("; ", ending.Take(10).Select(static one =>
                    $"{one.Id} \"{one.Name}\" of {one.Owner} expires {DoctorText.At(one.ExpiresAt)}"))
                    + (ending.Count > 10 ? $"; and {ending.Count - 10} more" : ""),
                $"gateway token rotate {ending[0].Id}");
        }
        else
        {
            diagnosis.Pass("STA", subject, $"the store can be read: {DoctorText.Count(live.Count, "token")} in use");
        }
    }

    private static bool CanWrite(string folder, out string fault)
    {
        fault = "";
        var probe = Path.Combine(folder, $".doctor-{Guid.NewGuid():N}");
        try
        {
            using (new FileStream(
                probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose))
            {
                return true;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            fault = exception is UnauthorizedAccessException ? "permission denied" : DoctorText.Of(exception);
            return false;
        }
    }
}
