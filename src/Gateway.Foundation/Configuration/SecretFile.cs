namespace Gateway.Foundation.Configuration;

/// <summary>A secret in a file of its own, as Docker and Kubernetes provide them.</summary>
internal static class SecretFile
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>Reads the secret.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fault">What is wrong; <see cref="FileFault.None"/> if nothing is.</param>
    /// <returns>The secret, not empty, or <see langword="null"/>.</returns>
    public static string? TryRead(string path, out FileFault fault)
    {
        var text = SettingFile.TryRead(path, MaxBytes, out fault);
        if (text is null)
        {
            return null;
        }

        // One line break is dropped, which editors and "echo" add; more would be part of the secret.
        text = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        fault = text.Length == 0 ? new FileFault("the file is empty") : FileFault.None;
        return text.Length == 0 ? null : text;
    }
}
