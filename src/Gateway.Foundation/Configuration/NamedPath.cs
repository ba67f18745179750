namespace Gateway.Foundation.Configuration;

/// <summary>A file or folder that the configuration names.</summary>
/// <param name="Key">The setting: <c>tls.certificates[0].key</c>, <c>redis.passwordFile</c>.</param>
/// <param name="Path">Its absolute path.</param>
internal sealed record NamedPath(string Key, string Path)
{
    /// <summary>Whether the file holds the secret that the setting is (<c>…File</c>).</summary>
    public bool IsSecret => Key.EndsWith("File", StringComparison.Ordinal);
}
