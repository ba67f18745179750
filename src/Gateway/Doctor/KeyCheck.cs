using Gateway.Client.Doctor;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Rotation;
using Gateway.Server.Store.Keys;

namespace Gateway.Doctor;

/// <summary>The signing keys and the other secrets: whether they can be used, and how old they are.</summary>
internal sealed class KeyCheck : IServerCheck
{
    /// <summary>The usable keys in the folder; none where there are none, or they cannot be read.</summary>
    public static IReadOnlyList<SigningKey> ReadUsable(ExaminedGateway examined)
    {
        var folder = examined.Options.KeyFolderPath();
        if (examined.Options.Tokens.Keys.Store != SigningKeyStoreKind.Folder || !Directory.Exists(folder))
        {
            return [];
        }

        var schedule = new SigningKeySchedule(examined.Options.SigningKeySettings(), examined.Time);
        try
        {
            return schedule.Usable(new KeyFolder(folder, schedule).Read());
        }
        catch (ProblemException)
        {
            return []; // reported by RunAsync
        }
    }

    /// <inheritdoc/>
    public string Area => "KEY";

    /// <inheritdoc/>
    public string Subject => "the signing keys";

    /// <inheritdoc/>
    public Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var options = examined.Options;
        var now = examined.Time.GetUtcNow();
        foreach (var file in options.Paths.Where(static file => file.IsSecret && File.Exists(file.Path)).DistinctBy(
            static file => file.Path))
        {
            var age = now - File.GetLastWriteTimeUtc(file.Path);
            if (age > RotationRules.SecretAge)
            {
                diagnosis.Warn("ROT002", file.Path, $"{file.Key}: not changed for {DoctorText.Span(age)}");
            }
        }

        if (options.Tokens.Keys.Store == SigningKeyStoreKind.Redis)
        {
            return Task.CompletedTask; // RedisCheck reports whether they can be read
        }

        var folder = options.KeyFolderPath();
        var schedule = new SigningKeySchedule(options.SigningKeySettings(), examined.Time);
        if (new KeyFolder(folder, schedule).Check() is { Count: > 0 } problems)
        {
            // FileCheck has reported wrong modes.
            foreach (var problem in problems.Where(
                problem => !diagnosis.Findings.Any(
                    finding => finding.Id.StartsWith("FIL", StringComparison.Ordinal)
                        && finding.Subject == problem.Source)))
            {
                diagnosis.Error("KEY001", problem.Source, SettingProblems.EvidenceOf(problem), problem.Fix);
            }

            return Task.CompletedTask;
        }

        if (ReadUsable(examined) is not { Count: > 0 } keys)
        {
            diagnosis.Inform("KEY003", folder, "there is no key yet: the first start creates one");
            return Task.CompletedTask;
        }

        var signs = SigningKeyRing.ActiveAt(keys, now);
        if (RotationRules.IsDue(signs, options.Tokens, now))
        {
            diagnosis.Warn(
                "KEY002", folder, $"{signs.Id} has signed since {DoctorText.At(signs.ActiveFrom)}, for "
                    + $"{DoctorText.Span(now - signs.ActiveFrom)}",
                "gateway keys rotate; or set tokens.keys.rotateAfter: 90d, and the gateway rotates keys "
                    + "automatically");
        }
        else
        {
            diagnosis.Pass(
                Area, folder, $"{signs.Id} has signed since {DoctorText.At(signs.ActiveFrom)}; "
                    + $"{DoctorText.Count(keys.Count, "key")} in all");
        }

        return Task.CompletedTask;
    }
}
