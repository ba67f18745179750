namespace Gateway.Client.Doctor.Explain;

/// <summary>The text of a real message, with <c>{}</c> where names, ids, digests and numbers differ.</summary>
/// <param name="Template">How the text is recognised.</param>
/// <param name="Client">Which client prints it.</param>
/// <param name="Source">Where the text is from: a repository's file, or an issue.</param>
internal sealed record KnownPattern(MessageTemplate Template, string Client, string Source);
