namespace Gateway.Client.Trust;

/// <summary>One file of a plan.</summary>
/// <param name="Client">Whose it is, for people.</param>
/// <param name="Path">As the machine names it.</param>
/// <param name="Content">What it is to hold.</param>
/// <param name="Action">What is done with it.</param>
/// <param name="Note">What is there now; <see langword="null"/>: nothing.</param>
internal sealed record TrustStep(string Client, string Path, string Content, TrustAction Action, string? Note);

/// <summary>What is done with a file.</summary>
internal enum TrustAction
{
    /// <summary>It is made.</summary>
    Write,

    /// <summary>It is kept beside, and written anew.</summary>
    Replace,

    /// <summary>It says what it should, and stays.</summary>
    Keep,
}
