using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Tokens.Service;

/// <summary>An issuer and a verifier of access tokens, with everything that they ask in the test's hands.</summary>
internal sealed class TokenStage
{
    public const string Host = "registry.test";

    public TokenStage(SigningAlgorithm algorithm = SigningAlgorithm.ES256)
    {
        Keys = new TestSigningKeys(algorithm);
        Router = new RegistryRouter(
            new Uri($"https://{Host}"), [],
            [new RegistryOptions { Name = "main", Upstreams = [new Uri("http://127.0.0.1:5000")] }]);
        Issuer = new AccessTokenIssuer(Keys, Router, Options, Clock, Log);
        Verifier = CreateVerifier();
    }

    public TestSigningKeys Keys { get; }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public TokenOptions Options { get; } = new();

    public RegistryRouter Router { get; }

    public Users Subjects { get; } = new();

    public Revocations Revoked { get; } = new();

    public ListLogger<AccessTokenIssuer> Log { get; } = new();

    public AccessTokenIssuer Issuer { get; }

    public AccessTokenVerifier Verifier { get; }

    public static Principal Alice => new()
    {
        Subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" },
        Evidence = "hash-1",
    };

    public static AccessScope Pull => Scope("team/app", RepositoryActions.Pull);

    public static AccessScope Scope(string repository, RepositoryActions actions) =>
        AccessScope.Create([new RepositoryScope(RepositoryName.Parse(repository), actions)], catalog: false);

    /// <summary>A verifier that remembers nothing yet.</summary>
    public AccessTokenVerifier CreateVerifier() =>
        new(Keys, Router, new SubjectStanding([Subjects], Revoked), Options, Clock);

    public string Issue(Principal? holder = null, AccessScope? scope = null, string audience = Host) =>
        Issuer.Issue(holder ?? Alice, scope ?? Pull, audience).Text;

    public AuthenticationResult Verify(string token, DateTimeOffset? continueUntil = null) =>
        Verifier.Verify(token, Host, continueUntil);

    public Principal Accept(string token, DateTimeOffset? continueUntil = null) =>
        Assert.IsType<AuthenticationResult.Accepted>(Verify(token, continueUntil)).Principal;

    public AuthenticationResult.Refused Refuse(string token, DateTimeOffset? continueUntil = null) =>
        Assert.IsType<AuthenticationResult.Refused>(Verify(token, continueUntil));

    /// <summary>A method whose users are in a dictionary: name to evidence.</summary>
    internal sealed class Users : ISubjectSource
    {
        public Dictionary<string, string> Evidence { get; } = new() { ["alice"] = "hash-1" };

        public string Method => "htpasswd";

        public AuthenticationResult.Refused? FindFault(Subject subject, string? evidence) =>
            !Evidence.TryGetValue(subject.Name, out var now) ? SubjectStanding.UserGone
            : evidence is not null && evidence != now ? SubjectStanding.PasswordChanged
            : null;

        public ValueTask<SubjectState> ResolveAsync(string name, CancellationToken cancellationToken) =>
            ValueTask.FromResult<SubjectState>(Evidence.TryGetValue(name, out var now)
                ? new SubjectState.Current(new Subject { Kind = SubjectKind.User, Name = name, Method = Method }, now)
                : SubjectState.Gone.Instance);
    }

    internal sealed class Revocations : IRevocations
    {
        public HashSet<string> Credentials { get; } = [];

        public Dictionary<string, DateTimeOffset> Subjects { get; } = [];

        public bool IsCurrent => true;

        public bool HasRead { get; set; } = true;

        public bool KnowsBlocks { get; set; } = true;

        public SubjectBlocks Blocks { get; set; } = SubjectBlocks.None;

        public TimeProvider Time { get; set; } = TimeProvider.System;

        public SubjectBlock? FindBlock(Subject subject) => Blocks.Find(subject, Time);

        public bool IsRevoked(string credentialId) => Credentials.Contains(credentialId);

        public bool IsRevoked(Subject subject, DateTimeOffset issuedAt) =>
            Subjects.Count > 0 && Subjects.TryGetValue(subject.ToString(), out var until) && issuedAt <= until;
    }
}
