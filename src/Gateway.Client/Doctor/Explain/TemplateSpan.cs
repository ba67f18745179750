namespace Gateway.Client.Doctor.Explain;

/// <summary>Where a template matches in a squashed text.</summary>
/// <param name="Start">Its first character.</param>
/// <param name="End">After its last character.</param>
/// <param name="Matched">How many of the template's own characters match.</param>
/// <param name="IsComplete">Whether all of them do; otherwise the text is cut off within the template.</param>
internal readonly record struct TemplateSpan(int Start, int End, int Matched, bool IsComplete)
{
    /// <summary>How many characters are between the two; 0 if they touch or overlap.</summary>
    public int DistanceTo(TemplateSpan other) => Math.Max(0, Math.Max(other.Start - End, Start - other.End));

    /// <summary>Whether the two share a character.</summary>
    public bool Overlaps(TemplateSpan other) => Start < other.End && other.Start < End;
}
