namespace Gateway.Configuration;

/// <summary>A file or folder that a setting names.</summary>
/// <param name="Key">The setting: <c>tls.certificates[0].key</c>, <c>redis.passwordFile</c>.</param>
/// <param name="Path">Where it is, as a full path.</param>
/// <param name="IsSecret">Whether it holds the secret that the setting is.</param>
internal sealed record NamedFile(string Key, string Path, bool IsSecret);
