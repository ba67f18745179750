using System.Security.Cryptography;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>
/// What one policy file says, as far as that depends on nothing but its own content: not on other files, nor on roles
/// that those declare. So it holds for as long as the content is the same.
/// </summary>
internal sealed class PolicyFileReading
{
    private const string EmptyPolicy =
        "Write the complete file again; if it is meant to have no rules, write \"rules: []\".";

    private static readonly string[] Sections = ["groups", "roles", "rules"];

    private readonly byte[] _digest; // SHA-256 of the content

    private PolicyFileReading(string path, byte[] digest) => (Path, _digest) = (path, digest);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The roles it declares, in its order.</summary>
    public IReadOnlyList<DeclaredRole> Roles { get; private init; } = [];

    /// <summary>The groups it declares, in its order.</summary>
    public IReadOnlyList<Declared<PolicyGroup>> Groups { get; private init; } = [];

    /// <summary>
    /// Its rules, in its order. The one thing that changes: a rule with a role is replaced by one with the actions that
    /// the role had last, so that it need not be made again.
    /// </summary>
    public ReadRule[] Rules { get; private init; } = [];

    /// <summary>Reads a file, or finds that it is the one that was read before.</summary>
    /// <param name="path">The file.</param>
    /// <param name="requiresEnd">Whether it must end with <c>...</c>.</param>
    /// <param name="registries">Names of the configured registries; <see langword="null"/> where unknown.</param>
    /// <param name="known">
    /// An earlier reading of this path, without problems and with the same parameters; <see langword="null"/>: none.
    /// </param>
    /// <param name="problems">Told of everything that is wrong.</param>
    /// <returns><see langword="null"/> where there is nothing to read.</returns>
    public static PolicyFileReading? Read(
        string path,
        bool requiresEnd,
        IReadOnlyCollection<string>? registries,
        PolicyFileReading? known,
        ProblemCollector problems)
    {
        var content = PolicyFile.Open(path, bytes => Content.Of(bytes, known), problems);
        if (content is not { Text: { } text })
        {
            return content is null ? null : known;
        }

        return PolicyFile.Parse(text, path, requiresEnd, problems) is { } root
            ? Read(root, path, content.Digest, registries, problems)
            : null;
    }

    private static PolicyFileReading Read(
        YamlMapping root,
        string path,
        byte[] digest,
        IReadOnlyCollection<string>? registries,
        ProblemCollector problems)
    {
        var roles = new RoleReader(problems);
        var groups = new GroupReader(problems);
        var rules = new RuleReader(problems, roles, registries, path);
        problems.CheckKeys(root, Sections);
        CheckContent(root, problems);
        ReadSection(root, "roles", roles.Read);
        ReadSection(root, "groups", groups.Read);
        ReadSection(root, "rules", rules.Read);
        return new PolicyFileReading(path, digest)
        {
            Roles = roles.Declared,
            Groups = groups.Declared,
            Rules = [.. rules.Rules],
        };
    }

    // What is left of a file that is being written, or that was cut off, when it is looked at: nothing, or a key with
    // nothing below it. A deny that was there must not be gone until the rest comes.
    private static void CheckContent(YamlMapping file, ProblemCollector problems)
    {
        if (file.Entries is [])
        {
            problems.Add(file.Position, "the file has none of rules, groups and roles", null, EmptyPolicy);
        }

        foreach (var entry in file.Entries.Where(static entry => Sections.Contains(entry.Key) && entry.Value.IsNull))
        {
            problems.Add(
                entry.Position,
                $"there is nothing below \"{entry.Key}\"",
                null,
                $"Write the complete file again; if none are meant, remove the key or write "
                + $"\"{entry.Key}: {(entry.Key == "rules" ? "[]" : "{}")}\".");
        }
    }

    private static void ReadSection(YamlMapping file, string key, Action<YamlNode> read)
    {
        if (file.Find(key) is { IsNull: false } section)
        {
            read(section);
        }
    }

    // The text is left out where the content is the known one: neither decoded nor kept.
    private sealed record Content(byte[] Digest, string? Text)
    {
        public static Content Of(ReadOnlySpan<byte> bytes, PolicyFileReading? known)
        {
            var digest = SHA256.HashData(bytes);
            return known is not null && digest.AsSpan().SequenceEqual(known._digest)
                ? new Content(digest, null)
                : new Content(digest, SettingFile.Decode(bytes));
        }
    }
}
