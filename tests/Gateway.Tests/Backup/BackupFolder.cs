#pragma warning disable CA1416 // these tests run on Linux
using System.Net;
using Gateway.Backup;
using Gateway.Commands;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Tests.Support;

namespace Gateway.Tests.Backup;

/// <summary>A folder with a whole configuration, a real store and a real signing key; and the commands on it.</summary>
internal sealed class BackupFolder : IDisposable
{
    public const string UpstreamPassword = "upstream-password-in-a-file";
    public const string KeysPassword = "keys-password-in-a-file";

    private readonly TemporaryFolder _root = new();

    public BackupFolder(string moreYaml = "", string state = "state")
    {
        Write("certs/tls.crt", "certificate");
        Write("certs/tls.key", "private key", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Write("users.htpasswd", "bob:" + TestUsers.Hash("bob-password") + "\n");
        Write("policies/policy.yaml", "rules: []\n");
        Write("policies/policy.test.yaml", "tests: []\n");
        Write("policies/notes.txt", "not read by the gateway\n");
        Write("secrets/upstream", UpstreamPassword + "\n", UnixFileMode.UserRead);
        Write("secrets/keys", KeysPassword, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Write("gateway.yaml", $$"""
            publicUrl: https://registry.test
            tls: { certificates: [ { certificate: certs/tls.crt, key: certs/tls.key } ] }
            registries:
              - { name: main, upstreams: [ "http://127.0.0.1:5000" ], credential: { username: gateway, passwordFile: secrets/upstream } }
            authentication: { htpasswd: { file: users.htpasswd, minimumCost: 4 } }
            policies: policies
            state: { folder: {{state}} }
            {{moreYaml}}
            """);
    }

    /// <summary>The folder around everything.</summary>
    public string Root => _root.Path;

    public string Folder => Path.Combine(_root.Path, "etc");

    public string Configuration => Path.Combine(Folder, "gateway.yaml");

    public string State => Path.Combine(Folder, "state");

    public string Archive => Path.Combine(_root.Path, "gateway.backup");

    public string Target => Path.Combine(_root.Path, "restored");

    public string Write(string name, string text, UnixFileMode? mode = null)
    {
        var path = _root.Write("etc/" + name, text);
        if (mode is { } rights)
        {
            File.SetUnixFileMode(path, rights);
        }

        return path;
    }

    /// <summary>Makes what a gateway that ran would have left.</summary>
    public async Task<string> FillAsync(int tokens = 3)
    {
        var options = Load();
        new KeyFolder(
            options.KeyFolderPath(), new SigningKeySchedule(options.SigningKeySettings(), TimeProvider.System))
                .EnsureKey();
        await using var store = SqliteCredentialStore.Open(options.State.Folder);
        var last = "";
        for (var i = 0; i < tokens; i++)
        {
            last = CredentialSecret.Create(CredentialSecretKind.Personal).Reveal();
            await store.AddAsync(NewToken(last), CancellationToken.None);
        }

        Directory.CreateDirectory(Path.Combine(options.State.Folder, "data-protection"));
        await File.WriteAllTextAsync(Path.Combine(options.State.Folder, "data-protection", "key-1.xml"), "<key/>");
        File.SetUnixFileMode(
            Path.Combine(options.State.Folder, "data-protection", "key-1.xml"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(Path.Combine(options.State.Folder, "audit.jsonl"), "the audit trail\n");
        return last;
    }

    public static StoredCredential NewToken(string secret, string owner = "bob")
    {
        var now = TimeProvider.System.GetUtcNow();
        return new StoredCredential
        {
            Id = Guid.NewGuid().ToString("N"),
            Kind = CredentialKind.Personal,
            Hash = SecretHash.Of(secret),
            Name = "laptop",
            Owner = new Subject { Kind = SubjectKind.User, Name = owner, Method = "htpasswd" },
            CreatedBy = "user:" + owner,
            CreatedAt = now,
            ExpiresAt = now.AddDays(1),
            LastUsedAt = now,
            LastUsedFrom = IPAddress.Loopback,
        };
    }

    public GatewayOptions Load() => ConfigurationLoader.Load(Configuration, new Dictionary<string, string>());

    /// <summary>A file beside everything, with a passphrase.</summary>
    public string Passphrase(string text = "correct horse battery staple") =>
        _root.Write($"passphrase-{text.Length}-{text[0]}", text + "\n");

    public Task<(int Code, string Output, string Error)> BackupAsync(params string[] more) =>
        RunAsync(["backup", Archive, "--config", Configuration, .. more]);

    public Task<(int Code, string Output, string Error)> RestoreAsync(params string[] more) =>
        RunAsync(["restore", Archive, "--to", Target, .. more]);

    public static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var result = GatewayCommand.Create().Parse(arguments);
        result.InvocationConfiguration.Output = output;
        result.InvocationConfiguration.Error = error;
        return (await result.InvokeAsync(), output.ToString(), error.ToString());
    }

    /// <summary>Everything in a folder: names, rights and content.</summary>
    public static IReadOnlyDictionary<string, string> Listing(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
            .ToDictionary(
                path => Path.GetRelativePath(folder, path),
                static path => Convert.ToString((int)File.GetUnixFileMode(path), 8)
                    + (File.Exists(path)
                        ? " "
                            + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))
                        : ""))
        : new Dictionary<string, string>();

    /// <summary>A restore in this process, which a test may make fail.</summary>
    public async Task RestoreWithAsync(
        Action<RestoreStep> reached, bool force = false, bool absolute = false,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var order = new RestoreOrder
        {
            Archive = Archive,
            Target = Target,
            MayReplace = force,
            AllowAbsolute = absolute,
        };
        var job = new RestoreJob(
            order, TimeProvider.System, environment ?? new Dictionary<string, string>(), static _ => { })
        {
            Reached = reached,
        };
        await job.RunAsync(CancellationToken.None);
    }

    public void Dispose()
    {
        foreach (var folder in Directory.EnumerateDirectories(_root.Path, "*", SearchOption.AllDirectories))
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        _root.Dispose();
    }
}
