namespace Gateway.Client.Trust;

/// <summary>One file of a plan.</summary>
/// <param name="Client">The client that reads it, for people.</param>
/// <param name="Path">As the machine names it.</param>
/// <param name="Content">The content that it must have.</param>
/// <param name="Action">What is done with it.</param>
/// <param name="Note">What it has now; <see langword="null"/>: it does not exist.</param>
internal sealed record TrustStep(string Client, string Path, string Content, TrustAction Action, string? Note);

/// <summary>What is done with a file.</summary>
internal enum TrustAction
{
    /// <summary>It is created.</summary>
    Write,

    /// <summary>The existing file is kept under another name, and replaced.</summary>
    Replace,

    /// <summary>It has the right content, and stays.</summary>
    Keep,
}
