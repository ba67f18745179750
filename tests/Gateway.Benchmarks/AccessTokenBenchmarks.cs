using System.Text;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Benchmarks;

/// <summary>
/// What a token costs, beside the one check of a password that it takes the place of on each request.
/// </summary>
[MemoryDiagnoser]
[MinColumn]
[MedianColumn]
public class AccessTokenBenchmarks
{
    private const string Host = "registry.example.com";
    private const string Password = "correct horse battery staple";

    private readonly TokenOptions _options = new();
    private readonly PasswordHasher _hasher = new();
    private readonly Principal _alice = new()
    {
        Subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" },
    };

    private readonly AccessScope _scope = AccessScope.Create(
        [new RepositoryScope(RepositoryName.Parse("team-a/app"), RepositoryActions.Pull | RepositoryActions.Push)],
        catalog: false);

    private RegistryRouter _router = null!;
    private SubjectStanding _standing = null!;
    private PasswordHash _hash = null!;
    private Keys _es256 = null!;
    private Keys _rs256 = null!;
    private AccessTokenIssuer _es256Issuer = null!;
    private AccessTokenIssuer _rs256Issuer = null!;
    private AccessTokenVerifier _verifier = null!;
    private string _es256Token = "";
    private string _rs256Token = "";
    private string _forged = "";

    [GlobalSetup]
    public void Setup()
    {
        _router = new RegistryRouter(
            new Uri($"https://{Host}"), [],
            [new RegistryOptions { Name = "main", Upstreams = [new Uri("http://127.0.0.1:5000")] }]);
        var line = "alice:" + _hasher.Create(HashScheme.Bcrypt, 10, Password) + "\n";
        var file = HtpasswdFile.Parse("users.htpasswd", Encoding.ASCII.GetBytes(line), new HtpasswdOptions());
        _hash = file.Find("alice")!;
        var users = new Reloadable<HtpasswdFile>(
            "htpasswd", () => [], () => file, TimeProvider.System, NullLogger<Reloadable<HtpasswdFile>>.Instance);
        var method = new HtpasswdVerifier(
            users, _hasher, new HashWorkers(1),
            new VerifiedCredentialCache(10, TimeSpan.FromMinutes(5), TimeProvider.System),
            NullLogger<HtpasswdVerifier>.Instance);
        _standing = new SubjectStanding([method], new NothingRevoked());
        (_es256, _rs256) = (new Keys(SigningAlgorithm.ES256), new Keys(SigningAlgorithm.RS256));
        (_es256Issuer, _rs256Issuer) = (CreateIssuer(_es256), CreateIssuer(_rs256));
        _es256Token = IssueES256();
        _rs256Token = IssueRS256();
        _forged = _es256Token[..^4] + "AAAA";
        _verifier = CreateVerifier(_es256);
        if (VerifyKnown() is not AuthenticationResult.Accepted || VerifyForged() is not AuthenticationResult.Refused)
        {
            throw new InvalidOperationException("the tokens are not judged as they should be");
        }
    }

    [Benchmark(Baseline = true)]
    public bool BcryptCost10() => _hasher.Matches(_hash, Password);

    [Benchmark]
    public string IssueES256() => _es256Issuer.Issue(_alice, _scope, Host).Text;

    [Benchmark]
    public string IssueRS256() => _rs256Issuer.Issue(_alice, _scope, Host).Text;

    [Benchmark]
    public object VerifyNewES256() => CreateVerifier(_es256).Verify(_es256Token, Host, null);

    [Benchmark]
    public object VerifyNewRS256() => CreateVerifier(_rs256).Verify(_rs256Token, Host, null);

    [Benchmark]
    public object VerifyForged() => _verifier.Verify(_forged, Host, null);

    [Benchmark]
    public object VerifyKnown() => _verifier.Verify(_es256Token, Host, null);

    // An hour: longer than a run.
    private AccessTokenIssuer CreateIssuer(Keys keys) => new(
        keys,
        _router,
        new TokenOptions { Lifetime = TimeSpan.FromHours(1) },
        TimeProvider.System,
        NullLogger<AccessTokenIssuer>.Instance);

    private AccessTokenVerifier CreateVerifier(Keys keys) =>
        new(keys, _router, _standing, _options, TimeProvider.System);

    private sealed class Keys(SigningAlgorithm algorithm) : ISigningKeys
    {
        public SigningKeyRing Current { get; } =
            new([SigningKey.Create(algorithm, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch)]);
    }

    private sealed class NothingRevoked : IRevocations
    {
        public bool IsCurrent => true;

        public bool HasRead => true;

        public bool KnowsBlocks => true;

        public SubjectBlock? FindBlock(Subject subject) => null;

        public bool IsRevoked(string credentialId) => false;

        public bool IsRevoked(Subject subject, DateTimeOffset issuedAt) => false;
    }
}
