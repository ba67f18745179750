using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Core.Authorization;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Store.State;

/// <summary>That an operator keeps a subject out, or did: <c>gateway user block</c>.</summary>
/// <param name="Subject">As <see cref="Subject.ToString"/> writes it: <c>user:corp/alice</c>.</param>
/// <param name="At">Since when.</param>
/// <param name="By">Who blocked it: the account of the operator.</param>
/// <remarks>
/// A record stays when the block is lifted or over. So an older copy of it, in a backup or in a Redis that lost its
/// last seconds, is told from a newer one: of two records of a subject the later change holds.
/// </remarks>
internal sealed record SubjectBlock(string Subject, DateTimeOffset At, string By)
{
    /// <summary>Why, for operators alone.</summary>
    public string? Reason { get; init; }

    /// <summary>When it expires; <see langword="null"/>: never.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>When it was lifted; <see langword="null"/>: it was not.</summary>
    public DateTimeOffset? LiftedAt { get; init; }

    /// <summary>Who lifted it.</summary>
    public string? LiftedBy { get; init; }

    /// <summary>
    /// When the record was written last. It rises with every change, whatever the clocks of those who make them say.
    /// </summary>
    [JsonIgnore]
    public DateTimeOffset ChangedAt => LiftedAt ?? At;

    /// <summary>
    /// When the record that it was made from was written; <see langword="null"/>: it is a copy of a record. A store
    /// that has a later one by then keeps that: a change must not undo one that its author did not see.
    /// </summary>
    [JsonIgnore]
    public DateTimeOffset? Replaces { get; private init; }

    /// <summary>Whether the subject is refused at an instant.</summary>
    public bool IsInForce(DateTimeOffset now) => LiftedAt is null && !(Until <= now);

    /// <summary>A block of a subject in the place of what is known of it.</summary>
    /// <param name="known">The newest record there is; <see langword="null"/>: there is none.</param>
    /// <param name="subject">Whom.</param>
    /// <param name="now">The present.</param>
    /// <param name="by">Who says so.</param>
    public static SubjectBlock Create(SubjectBlock? known, string subject, DateTimeOffset now, string by) =>
        new(subject, After(known, now), by) { Replaces = known?.ChangedAt ?? DateTimeOffset.MinValue };

    /// <summary>The same, lifted.</summary>
    public SubjectBlock Lift(DateTimeOffset now, string by) => this with
    {
        LiftedAt = After(this, now),
        LiftedBy = by,
        Replaces = ChangedAt,
    };

    /// <summary>Whether two are the same record, as the stores keep it.</summary>
    public bool Equals(SubjectBlock? other) => other is not null && Write() == other.Write();

    /// <inheritdoc/>
    public override int GetHashCode() => Subject.GetHashCode(StringComparison.Ordinal);

    /// <summary>As the stores keep it.</summary>
    public string Write() => JsonSerializer.Serialize(this, SubjectBlockJsonContext.Default.SubjectBlock);

    /// <summary>Again.</summary>
    /// <exception cref="StateException">It is not understood. Unknown means no: nothing is served then.</exception>
    public static SubjectBlock Read(string document)
    {
        try
        {
            var read = JsonSerializer.Deserialize(document, SubjectBlockJsonContext.Default.SubjectBlock)
                ?? throw new FormatException("it is null");
            _ = KeyOf(read.Subject);
            return read;
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            throw new StateException(
                $"A block in the store cannot be read: {exception.Message} A newer gateway may have written it.",
                exception);
        }
    }

    /// <summary>What a subject is looked up by.</summary>
    /// <exception cref="FormatException">It is no subject that can be blocked.</exception>
    public static (SubjectKind Kind, string Name) KeyOf(string subject)
    {
        var colon = subject.IndexOf(':', StringComparison.Ordinal);
        var kind = CredentialDocument.Parse<SubjectKind>(colon < 0 ? "" : subject[..colon]);
        return kind != SubjectKind.Anonymous && colon + 1 < subject.Length
            ? (kind, subject[(colon + 1)..])
            : throw new FormatException($"\"{subject}\" is nobody.");
    }

    private static DateTimeOffset After(SubjectBlock? known, DateTimeOffset now) =>
        known is null || now > known.ChangedAt ? now : known.ChangedAt.AddTicks(1);
}

/// <summary>The wire format of blocks, in the stores and in the file.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    // a condition that is not known here must not be passed over
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    WriteIndented = false)]
[JsonSerializable(typeof(SubjectBlock))]
[JsonSerializable(typeof(List<SubjectBlock>))]
[JsonSerializable(typeof(BlockFileDocument))]
internal sealed partial class SubjectBlockJsonContext : JsonSerializerContext;

/// <summary>What the file holds.</summary>
internal sealed record BlockFileDocument(int Version, IReadOnlyList<SubjectBlock> Blocks);
