using System.Collections.Frozen;
using Gateway.Core.Authorization;

namespace Gateway.Server.Store.State;

/// <summary>
/// Everything that is known of blocked subjects: one record for each, the latest. It is replaced whole, never edited.
/// </summary>
internal sealed class SubjectBlocks
{
    /// <summary>Nobody was ever blocked.</summary>
    public static readonly SubjectBlocks None = new(FrozenDictionary<(SubjectKind, string), SubjectBlock>.Empty);

    private readonly FrozenDictionary<(SubjectKind Kind, string Name), SubjectBlock> _all;

    // Those that were not lifted; null where there are none, as on most days.
    private readonly FrozenDictionary<(SubjectKind Kind, string Name), SubjectBlock>? _open;

    private SubjectBlocks(FrozenDictionary<(SubjectKind Kind, string Name), SubjectBlock> all)
    {
        _all = all;
        var open = all.Where(static one => one.Value.LiftedAt is null).ToFrozenDictionary();
        _open = open.Count > 0 ? open : null;
    }

    /// <summary>All of them, lifted and past ones as well, by subject.</summary>
    public IReadOnlyList<SubjectBlock> All =>
        [.. _all.Values.OrderBy(static one => one.Subject, StringComparer.Ordinal)];

    /// <summary>What keeps a subject out now; <see langword="null"/>: nothing.</summary>
    public SubjectBlock? Find(Subject subject, TimeProvider time) =>
        _open is null || !_open.TryGetValue((subject.Kind, subject.Name), out var block)
        || !block.IsInForce(time.GetUtcNow())
            ? null
            : block;

    /// <summary>The record of a subject, also a lifted one; <see langword="null"/>: there is none.</summary>
    public SubjectBlock? Find(string subject) => _all.GetValueOrDefault(SubjectBlock.KeyOf(subject));

    /// <summary>
    /// These and others; of two of one subject the later change, and of two as late the one that blocks.
    /// </summary>
    /// <returns>This very instance where the others tell nothing new.</returns>
    public SubjectBlocks With(IEnumerable<SubjectBlock> others)
    {
        Dictionary<(SubjectKind, string), SubjectBlock>? merged = null;
        foreach (var other in others)
        {
            var key = SubjectBlock.KeyOf(other.Subject);
            if ((merged ?? (IReadOnlyDictionary<(SubjectKind, string), SubjectBlock>)_all).TryGetValue(
                key, out var known)
                && !IsNewer(other, known))
            {
                continue;
            }

            merged ??= new(_all);
            merged[key] = other;
        }

        return merged is null ? this : new SubjectBlocks(merged.ToFrozenDictionary());
    }

    /// <summary>What others lack of these.</summary>
    public IReadOnlyList<SubjectBlock> Beyond(SubjectBlocks others) =>
        ReferenceEquals(this, others)
            ? []
            : [.. All.Where(one => others.Find(one.Subject) is not { } known || IsNewer(one, known))];

    private static bool IsNewer(SubjectBlock one, SubjectBlock known) =>
        one.ChangedAt > known.ChangedAt
        || (one.ChangedAt == known.ChangedAt && one.LiftedAt is null && known.LiftedAt is not null);
}

/// <summary>The blocks of a store.</summary>
/// <param name="Version">Changes with each of them, also where they are lost; for the next reading.</param>
/// <param name="Blocks">All of them; <see langword="null"/> where the version is the one that was asked with.</param>
internal sealed record BlockPage(string Version, IReadOnlyList<SubjectBlock>? Blocks);
