using Gateway.Configuration;
using Gateway.Keys;

namespace Gateway.Doctor.Server;

/// <summary>The signing keys and the other secrets: whether they can be used, and how old they are.</summary>
internal sealed class KeyCheck : IServerCheck
{
    /// <summary>The age at which a key that does not rotate by itself is due.</summary>
    public static readonly TimeSpan KeyAge = TimeSpan.FromDays(365);

    /// <summary>The age at which a secret in a file is due.</summary>
    public static readonly TimeSpan SecretAge = TimeSpan.FromDays(365);

    /// <summary>The keys in the folder that can be used; none where there are none, or they cannot be read.</summary>
    public static IReadOnlyList<SigningKey> ReadUsable(ServerPatient patient)
    {
        var folder = SigningKeyServiceExtensions.FolderOf(patient.Options);
        if (patient.Options.Tokens.Keys.Store != SigningKeyStoreKind.Folder || !Directory.Exists(folder))
        {
            return [];
        }

        var schedule = new SigningKeySchedule(patient.Options.Tokens, patient.Time);
        try
        {
            return schedule.Usable(new KeyFolder(folder, schedule).Read());
        }
        catch (ProblemException)
        {
            return []; // said by RunAsync
        }
    }

    /// <inheritdoc/>
    public string Area => "KEY";

    /// <inheritdoc/>
    public string Subject => "the signing keys";

    /// <inheritdoc/>
    public Task RunAsync(ServerPatient patient, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var options = patient.Options;
        var now = patient.Time.GetUtcNow();
        foreach (var file in options.Paths.Where(static file => file.IsSecret && File.Exists(file.Path)).DistinctBy(static file => file.Path))
        {
            var age = now - File.GetLastWriteTimeUtc(file.Path);
            if (age > SecretAge)
            {
                diagnosis.Warn("ROT002", file.Path, $"{file.Key}: not changed for {DoctorText.Span(age)}");
            }
        }

        if (options.Tokens.Keys.Store == SigningKeyStoreKind.Redis)
        {
            return Task.CompletedTask; // RedisCheck says whether they can be read
        }

        var folder = SigningKeyServiceExtensions.FolderOf(options);
        var schedule = new SigningKeySchedule(options.Tokens, patient.Time);
        if (new KeyFolder(folder, schedule).Check() is { Count: > 0 } problems)
        {
            // FileCheck has said whose mode is wrong.
            foreach (var problem in problems.Where(problem => !diagnosis.Findings.Any(finding => finding.Id.StartsWith("FIL", StringComparison.Ordinal) && finding.Subject == problem.Source)))
            {
                diagnosis.Error("KEY001", problem.Source, SettingProblems.EvidenceOf(problem), problem.Cure);
            }

            return Task.CompletedTask;
        }

        if (ReadUsable(patient) is not { Count: > 0 } keys)
        {
            diagnosis.Inform("KEY003", folder, "there is no key yet: the first start makes one");
            return Task.CompletedTask;
        }

        var signs = SigningKeyRing.ActiveAt(keys, now);
        var limit = options.Tokens.Keys.RotateAfter is var set && set > TimeSpan.Zero ? set + TimeSpan.FromDays(1) : KeyAge;
        if (now - signs.ActiveFrom is var old && signs.CreatedAt is not null && old > limit)
        {
            diagnosis.Warn("KEY002", folder, $"{signs.Id} signs since {DoctorText.At(signs.ActiveFrom)}, for {DoctorText.Span(old)}", "gateway keys rotate; or set tokens.keys.rotateAfter: 90d, and it is done by itself");
        }
        else
        {
            diagnosis.Pass(Area, folder, $"{signs.Id} signs since {DoctorText.At(signs.ActiveFrom)}; {DoctorText.Count(keys.Count, "key")} in all");
        }

        return Task.CompletedTask;
    }
}
