using Gateway.Server.Requests.Reloading;
using Gateway.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.SignIn.Authentication;

/// <summary>A verifier over a real file, with everything it uses within reach.</summary>
internal sealed class HtpasswdStage : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-htpasswd-").FullName;
    private readonly ManualResetEventSlim _gate = new();
    private readonly HtpasswdOptions _options;
    private DateTime _written = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public HtpasswdStage(string content, int threads = 1, int places = 0)
    {
        _options = new HtpasswdOptions
        {
            File = Path.Combine(_folder, "users.htpasswd"),
            MinimumCost = 4,
            AllowShaCrypt = true,
        };
        Write(content);
        Users = new Reloadable<HtpasswdFile>(
            "htpasswd",
            () => [_options.File],
            () => HtpasswdFile.Load(_options),
            Time,
            NullLogger<Reloadable<HtpasswdFile>>.Instance);
        Workers = new HashWorkers(threads, places);
        Cache = new VerifiedCredentialCache(100, TimeSpan.FromMinutes(5), Time);
        Verifier = new HtpasswdVerifier(Users, Hasher, Workers, Cache, NullLogger<HtpasswdVerifier>.Instance);
    }

    public FakeTimeProvider Time { get; } = new();

    public PasswordHasher Hasher { get; } = new();

    public Reloadable<HtpasswdFile> Users { get; }

    public HashWorkers Workers { get; }

    public VerifiedCredentialCache Cache { get; }

    public HtpasswdVerifier Verifier { get; }

    public static string Line(string name, string password, int cost = 4) =>
        $"{name}:{new PasswordHasher().Create(HashScheme.Bcrypt, cost, password)}\n";

    public Task<AuthenticationResult> Verify(
        string name, string password, CancellationToken cancellationToken = default) =>
        Verifier.VerifyAsync(new BasicCredentials(name, password), cancellationToken).AsTask();

    /// <summary>Replaces the file and has it read, as <see cref="FileReloadService"/> would.</summary>
    public void Reload(string content)
    {
        Write(content);
        Users.LookTwice(Time.Advance);
    }

    /// <summary>Keeps every hashing thread busy until <see cref="ReleaseThreads"/>.</summary>
    public void HoldThreads()
    {
        for (var i = 0; i < Workers.Threads; i++)
        {
            using var started = new ManualResetEventSlim();
            Workers.TryRun(() =>
            {
                started.Set();
                _gate.Wait();
                return 0;
            });
            started.Wait();
        }
    }

    public void ReleaseThreads() => _gate.Set();

    public void Dispose()
    {
        _gate.Set();
        Workers.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Write(string content)
    {
        File.WriteAllText(_options.File, content);
        _written += TimeSpan.FromSeconds(1); // two writes within a tick of the file system's clock look the same
        File.SetLastWriteTimeUtc(_options.File, _written);
    }
}
