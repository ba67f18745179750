namespace Gateway.Client.Doctor.Explain;

/// <summary>A known message that was found in a text.</summary>
/// <param name="Problem">What it means.</param>
/// <param name="Pattern">Which message.</param>
/// <param name="Span">Where, in the squashed text.</param>
internal sealed record PatternMatch(KnownProblem Problem, KnownPattern Pattern, TemplateSpan Span)
{
    /// <summary>Whether the message is complete.</summary>
    public bool IsComplete => Span.IsComplete;
}
