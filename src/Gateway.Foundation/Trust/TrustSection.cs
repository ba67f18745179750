namespace Gateway.Foundation.Trust;

/// <summary>What to do for one client.</summary>
/// <param name="Client">The client.</param>
/// <param name="Title">Its name.</param>
/// <param name="Parts">What to read and copy, in order.</param>
internal sealed record TrustSection(TrustClient Client, string Title, IReadOnlyList<TrustPart> Parts);

/// <summary>A sentence or two, with a command or the content of a file.</summary>
/// <param name="Text">The sentences.</param>
/// <param name="Block">What to copy, or <see langword="null"/>.</param>
internal sealed record TrustPart(string Text, string? Block = null);
