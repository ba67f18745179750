using System.Collections.Frozen;
using System.Net;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Credentials;
using Gateway.Server.Tokens.Service;
using Gateway.Tests.Server.Store.State;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.Tokens.Credentials;

public sealed class CredentialServiceTests : IAsyncDisposable
{
    private static readonly Subject Alice = CredentialOwner.User("alice");
    private static readonly Subject Robot = CredentialOwner.Robot("ci-deploy");

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TokenOptions _options = new();
    private readonly SqliteCredentialStore _store;
    private readonly CredentialService _service;

    public CredentialServiceTests()
    {
        _store = SqliteCredentialStore.Open(_folder.Path);
        _service = new CredentialService(_store, _options, _time, NullLogger<CredentialService>.Instance);
    }

    [Fact]
    public async Task Create_PersonalToken_IsKeptWithEverythingButItsSecret()
    {
        var issued = await CreateAsync(Order(Alice, "laptop", Limit("team-a/**:pull,push")));

        var secret = issued.Secret.Reveal();
        Assert.Equal(CredentialSecretKind.Personal, issued.Secret.Kind);
        var kept = await _store.FindAsync(SecretHash.Of(secret), default);
        Assert.Equal(issued.Credential.Id, kept!.Id);
        Assert.Equal(CredentialKind.Personal, kept.Kind);
        Assert.Equal("user:alice", kept.Owner.ToString());
        Assert.Equal("htpasswd", kept.Owner.Method);
        Assert.Equal("laptop", kept.Name);
        Assert.Equal(Limit("team-a/**:pull,push"), kept.Limit);
        Assert.Equal("user:alice", kept.CreatedBy);
        Assert.Equal(_time.GetUtcNow(), kept.CreatedAt);
        Assert.Equal(_time.GetUtcNow() + TimeSpan.FromDays(90), kept.ExpiresAt);
        Assert.Null(kept.Evidence);
        foreach (var file in Directory.EnumerateFiles(_folder.Path))
        {
            Assert.DoesNotContain(secret, Encoding.Latin1.GetString(ReadShared(file)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Create_OwnerWithGroupsAndClaims_KeepsNeither()
    {
        var member = Alice with
        {
            Groups = ["admins"],
            Claims = new Dictionary<string, string> { ["ref"] = "main" }.ToFrozenDictionary(),
        };

        var issued = await CreateAsync(Order(member, "laptop", null));

        var kept = await _store.FindAsync(issued.Credential.Id, default);
        Assert.Empty(kept!.Owner.Groups); // what a method vouched for once must not outlive its word
        Assert.Empty(kept.Owner.Claims);
    }

    [Fact]
    public async Task Create_PartOfASecond_IsCutOff()
    {
        _time.Advance(TimeSpan.FromMilliseconds(1999));

        var issued = await CreateAsync(Order(Alice, "laptop", null, TimeSpan.FromHours(1)));

        Assert.Equal(new DateTimeOffset(2026, 1, 1, 0, 0, 1, TimeSpan.Zero), issued.Credential.CreatedAt);
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 1, 0, 1, TimeSpan.Zero), issued.Credential.ExpiresAt);
    }

    [Fact]
    public async Task Create_LifetimeAtItsBounds_IsTaken()
    {
        Assert.Equal(TimeSpan.FromMinutes(1), await LifeAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(TimeSpan.FromDays(365), await LifeAsync(TimeSpan.FromDays(365)));
        _options.MaximumCredentialLifetime = TimeSpan.FromDays(7);
        Assert.Equal(TimeSpan.FromDays(7), await LifeAsync(null)); // the usual one, held to the greatest
    }

    [Theory]
    [InlineData(0)]
    [InlineData(59)]
    [InlineData((365 * 24 * 60 * 60) + 1)]
    public async Task Create_LifetimeBeyondItsBounds_IsRefused(int seconds)
    {
        var outcome = await _service.CreateAsync(Order(Alice, "laptop", null, TimeSpan.FromSeconds(seconds)), default);

        var problem = Assert.Single(Assert.IsType<CredentialOutcome.Invalid>(outcome).Problems);
        Assert.Equal(CredentialService.LifetimePart, problem.Source);
        Assert.Equal(
            "Choose a lifetime from 1m to 365d; the operator sets the maximum with tokens.maximumCredentialLifetime.",
            problem.Fix);
        Assert.Empty(await _store.ListAsync(null, default));
    }

    [Fact]
    public async Task Create_SeveralThingsWrong_TellsAllOfThem()
    {
        var outcome = await _service.CreateAsync(
            Order(CredentialOwner.Robot("CI"), "lap\ntop", null, TimeSpan.Zero), default);

        Assert.Equal(
            """
            name: this is not a name for a token (found "lap?top"). A name is 1 to 64 printable characters, and neither begins nor ends with a space.
            owner: this is not a robot's name (found "CI"). A robot's name is 1 to 64 of a-z, 0-9, ".", "_" and "-", and begins and ends with a letter or digit.
            scopes: a robot token needs scopes. List what it may do, such as "team-a/**:pull,push".
            expiresIn: out of range (found "0s"). Choose a lifetime from 1m to 365d; the operator sets the maximum with tokens.maximumCredentialLifetime.
            """,
            string.Join('\n', Assert.IsType<CredentialOutcome.Invalid>(outcome).Problems));
    }

    [Fact]
    public async Task Create_RobotWithScopes_GetsARobotToken()
    {
        var first = await CreateAsync(Order(Robot, "blue", Limit("team-a/**:push")));
        var second = await CreateAsync(Order(Robot, "green", Limit("team-a/**:push")));

        Assert.Equal(CredentialSecretKind.Robot, first.Secret.Kind);
        Assert.Equal(CredentialKind.Robot, first.Credential.Kind);
        Assert.Equal("robot:ci-deploy", first.Credential.Owner.ToString());
        Assert.All(
            await _service.ListAsync(Robot, default),
            credential => Assert.Equal(TokenState.Active, credential.StateAt(_time.GetUtcNow())));
        Assert.Equal(2, (await _service.ListAsync(Robot, default)).Count);
        Assert.NotEqual(first.Secret.Reveal(), second.Secret.Reveal());
    }

    [Fact]
    public async Task Create_OneMoreThanTheMostLive_IsRefusedUntilOneEnds()
    {
        var tokens = await FillAsync();
        await _store.AddAsync(RefreshToken(), default); // counts elsewhere

        var problem = Assert.IsType<CredentialOutcome.Conflict>(await TryCreateAsync()).Problem;
        Assert.Equal(
            "user:alice: the owner has too many tokens (found \"100\"). At most 100 can be active at a time: "
            + "revoke those that are no longer used.",
            problem.ToString());
        await CreateAsync(Order(Robot, "another owner", Limit("**:pull")));

        await _service.RevokeAsync(tokens[0].Id, "user:alice", default);
        Assert.IsType<CredentialOutcome.Issued>(await TryCreateAsync());
        Assert.IsType<CredentialOutcome.Conflict>(await TryCreateAsync());

        _time.Advance(TimeSpan.FromDays(90)); // all of them expired, none was forgotten
        Assert.IsType<CredentialOutcome.Issued>(await TryCreateAsync());

        Task<CredentialOutcome> TryCreateAsync() => _service.CreateAsync(Order(Alice, "laptop", null), default);
    }

    [Fact]
    public async Task Create_OwnerWithTooManyEndedOnes_IsRefusedUntilTheyAreForgotten()
    {
        // A loop of making and ending must not fill the store.
        var ended = Enumerable.Range(0, ICredentialStore.MostKeptPerOwner).Select(i => _store.AddAsync(
            TestCredential.New($"ended-{i}", Alice, _time.GetUtcNow()) with { RevokedAt = _time.GetUtcNow() },
            default));
        await Task.WhenAll(ended);

        var problem = Assert.IsType<CredentialOutcome.Conflict>(
            await _service.CreateAsync(Order(Alice, "laptop", null), default)).Problem;

        Assert.StartsWith(
            "user:alice: the owner had too many tokens recently, including expired and revoked ones (found \"1000\").",
            problem.ToString(),
            StringComparison.Ordinal);
        await CreateAsync(Order(Robot, "another owner", Limit("**:pull")));
    }

    [Fact]
    public async Task Revoke_Twice_EndsItOnce()
    {
        var issued = await CreateAsync(Order(Alice, "laptop", null));

        Assert.True(await _service.RevokeAsync(issued.Credential.Id, "operator", default));
        Assert.False(await _service.RevokeAsync(issued.Credential.Id, "operator", default));
        Assert.False(await _service.RevokeAsync("000000000000", "operator", default));
        var kept = await _service.FindAsync(issued.Credential.Id, default);
        Assert.Equal(TokenState.Revoked, kept!.StateAt(_time.GetUtcNow()));
    }

    [Fact]
    public async Task RevokeAll_OneOwner_LeavesTheOthers()
    {
        await CreateAsync(Order(Alice, "a", null));
        await CreateAsync(Order(Alice, "b", null));
        await CreateAsync(Order(CredentialOwner.User("ci-deploy"), "a robot's name, but a person", null));
        await CreateAsync(Order(Robot, "c", Limit("**:pull")));

        Assert.Equal(2, await _service.RevokeAllAsync(Alice, "operator", default));
        Assert.Equal(1, await _service.RevokeAllAsync(Robot, "operator", default));

        var live = (await _service.ListAsync(null, default)).Where(static credential => credential.RevokedAt is null);
        Assert.Equal("user:ci-deploy", Assert.Single(live).Owner.ToString());
    }

    [Fact]
    public async Task Rotate_LiveToken_MakesItsLikeAndLetsItEndAfterTheOverlap()
    {
        var old = await CreateAsync(Order(Robot, "deploy", Limit("team-a/**:push"), TimeSpan.FromDays(30)));
        _time.Advance(TimeSpan.FromDays(20));

        var rotated = await RotateAsync(old, TimeSpan.FromHours(24));

        var now = _time.GetUtcNow();
        Assert.NotEqual(old.Credential.Id, rotated.Credential.Id);
        Assert.NotEqual(old.Secret.Reveal(), rotated.Secret.Reveal());
        Assert.Equal(old.Credential.Owner.ToString(), rotated.Credential.Owner.ToString());
        Assert.Equal(old.Credential.Name, rotated.Credential.Name);
        Assert.Equal(old.Credential.Limit, rotated.Credential.Limit);
        Assert.Equal(now + TimeSpan.FromDays(30), rotated.Credential.ExpiresAt);
        Assert.Equal(now + TimeSpan.FromHours(24), rotated.Replaced!.ExpiresAt);
        var kept = await _store.FindAsync(old.Credential.Id, default);
        Assert.Equal(now + TimeSpan.FromHours(24), kept!.ExpiresAt);
        Assert.Equal(TokenState.Active, kept.StateAt(now));
        Assert.Equal(TokenState.Expired, kept.StateAt(now + TimeSpan.FromHours(24)));
    }

    [Fact]
    public async Task Rotate_WithoutOverlap_EndsTheOldOneAtOnce()
    {
        var old = await CreateAsync(Order(Alice, "laptop", null));
        _time.Advance(TimeSpan.FromHours(1));

        await RotateAsync(old, TimeSpan.Zero);

        var kept = await _store.FindAsync(old.Credential.Id, default);
        Assert.Equal(TokenState.Expired, kept!.StateAt(_time.GetUtcNow()));
    }

    [Fact]
    public async Task Rotate_OverlapBeyondTheOldOnesEnd_DoesNotProlongIt()
    {
        var old = await CreateAsync(Order(Alice, "laptop", null, TimeSpan.FromHours(2)));

        var rotated = await RotateAsync(old, TimeSpan.MaxValue);

        Assert.Equal(old.Credential.ExpiresAt, rotated.Replaced!.ExpiresAt);
        Assert.Equal(old.Credential.ExpiresAt, (await _store.FindAsync(old.Credential.Id, default))!.ExpiresAt);
    }

    [Fact]
    public async Task Rotate_LifeBeyondTheGreatest_IsHeldToIt()
    {
        var old = await CreateAsync(Order(Alice, "laptop", null, TimeSpan.FromDays(300)));
        _options.MaximumCredentialLifetime = TimeSpan.FromDays(30); // the operator grew stricter

        var asked = await _service.RotateAsync(
            old.Credential, TimeSpan.Zero, TimeSpan.FromDays(31), "operator", default);
        Assert.IsType<CredentialOutcome.Invalid>(asked);
        var rotated = await RotateAsync(old, TimeSpan.Zero);

        Assert.Equal(_time.GetUtcNow() + TimeSpan.FromDays(30), rotated.Credential.ExpiresAt);
    }

    [Fact]
    public async Task Rotate_EndedToken_IsRefused()
    {
        var expired = await CreateAsync(Order(Alice, "laptop", null, TimeSpan.FromHours(1)));
        var revoked = await CreateAsync(Order(Alice, "laptop", null));
        await _service.RevokeAsync(revoked.Credential.Id, "operator", default);
        _time.Advance(TimeSpan.FromHours(1));

        foreach (var id in new[] { expired.Credential.Id, revoked.Credential.Id })
        {
            var outcome = await _service.RotateAsync(
                (await _store.FindAsync(id, default))!, TimeSpan.Zero, null, "operator", default);
            Assert.Equal(
                $"{id}: the token has expired or was revoked. Create a new one.",
                Assert.IsType<CredentialOutcome.Conflict>(outcome).Problem.ToString());
        }

        Assert.Equal(2, (await _store.ListAsync(null, default)).Count);
    }

    [Fact]
    public async Task Rotate_RefreshToken_IsRefused()
    {
        var refresh = RefreshToken();
        await _store.AddAsync(refresh, default);

        var outcome = await _service.RotateAsync(refresh, TimeSpan.Zero, null, "operator", default);

        Assert.IsType<CredentialOutcome.Conflict>(outcome);
    }

    [Fact]
    public async Task Rotate_AtTheMostLive_NeedsTheOldOneToEndAtOnce()
    {
        var tokens = await FillAsync();

        Assert.IsType<CredentialOutcome.Conflict>(
            await _service.RotateAsync(tokens[0], TimeSpan.FromHours(1), null, "operator", default));
        Assert.IsType<CredentialOutcome.Issued>(
            await _service.RotateAsync(tokens[0], TimeSpan.Zero, null, "operator", default));
        Assert.Equal(100, (await _store.ListAsync(Alice, default))
            .Count(token => token.StateAt(_time.GetUtcNow()) == TokenState.Active));
    }

    [Fact]
    public async Task EveryChange_IsLoggedWithoutTheSecret()
    {
        using var sink = new LogSink();
        using var factory = LoggerFactory.Create(builder => builder.AddProvider(sink));
        var service = new CredentialService(_store, _options, _time, factory.CreateLogger<CredentialService>());

        var issued = (CredentialOutcome.Issued)await service.CreateAsync(Order(Alice, "laptop", null), default);
        var rotated = (CredentialOutcome.Issued)await service.RotateAsync(
            issued.Credential, TimeSpan.Zero, null, "user:alice", default);
        await service.RevokeAsync(rotated.Credential.Id, "user:admin", default);
        await service.RevokeAllAsync(Alice, "operator", default);

        const string category = "Information Gateway.Server.Tokens.Credentials.CredentialService ";
        Assert.Equal(
            [
                $"{category}Created the Personal token {issued.Credential.Id} of user:alice, by user:alice; it "
                    + "expires 2026-04-01T00:00:00.0000000+00:00. ",
                $"{category}Rotated the Personal token {issued.Credential.Id} of user:alice "
                    + $"to {rotated.Credential.Id}, by user:alice; the old one expires "
                    + "2026-01-01T00:00:00.0000000+00:00. ",
                $"{category}Revoked the token {rotated.Credential.Id}, by user:admin. ",
                $"{category}Revoked everything issued to user:alice, 1 tokens, by operator. ",
            ],
            sink.Lines);
        Assert.DoesNotContain(sink.Lines, line => line.Contains("rgp_", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    private static CredentialOrder Order(
        Subject owner, string name, CredentialLimit? limit, TimeSpan? lifetime = null) => new()
        {
            Owner = owner,
            Name = name,
            Limit = limit,
            Lifetime = lifetime,
            CreatedBy = owner.ToString(),
        };

    private static CredentialLimit Limit(params string[] texts) =>
        CredentialLimit.TryParse(texts, out var limit, out var fault) ? limit : throw new FormatException(fault);

    private StoredCredential RefreshToken() => new()
    {
        Id = CredentialId.Create(),
        Kind = CredentialKind.Refresh,
        Hash = SecretHash.Of(CredentialSecret.Create(CredentialSecretKind.Refresh).Reveal()),
        Name = "docker login",
        Owner = Alice,
        CreatedBy = "user:alice",
        CreatedAt = _time.GetUtcNow(),
        ExpiresAt = _time.GetUtcNow() + TimeSpan.FromDays(90),
        LastUsedFrom = IPAddress.Loopback,
    };

    private static byte[] ReadShared(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var content = new byte[file.Length];
        file.ReadExactly(content);
        return content;
    }

    private async Task<List<StoredCredential>> FillAsync()
    {
        var tokens = new List<StoredCredential>();
        for (var i = 0; i < CredentialService.MostLive; i++)
        {
            tokens.Add((await CreateAsync(Order(Alice, $"laptop {i}", null))).Credential);
        }

        return tokens;
    }

    private async Task<TimeSpan> LifeAsync(TimeSpan? lifetime)
    {
        var issued = await CreateAsync(Order(Alice, "laptop", null, lifetime));
        return issued.Credential.ExpiresAt - issued.Credential.CreatedAt;
    }

    private async Task<CredentialOutcome.Issued> CreateAsync(CredentialOrder order) =>
        Assert.IsType<CredentialOutcome.Issued>(await _service.CreateAsync(order, default));

    private async Task<CredentialOutcome.Issued> RotateAsync(CredentialOutcome.Issued old, TimeSpan overlap) =>
        Assert.IsType<CredentialOutcome.Issued>(
            await _service.RotateAsync(old.Credential, overlap, null, "operator", default));
}
