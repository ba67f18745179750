using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Registry.Uploads;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Service;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Registry.Uploads;

/// <summary>
/// An access token that expires during an upload: good for that upload, for a while, and for nothing else.
/// </summary>
public sealed class UploadWindowTests : IAsyncLifetime
{
    private const string Digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Start = "/v2/team-a/app/blobs/uploads/";
    private const string Policy = """
        rules:
          - { name: team-a, to: ["user:alice", "user:bob"], role: owner, on: ["team-a/**"] }
          - { name: drop box, to: [anonymous], role: writer, on: ["drop/**"] }
        """;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Window = TimeSpan.FromHours(6);

    private readonly ShiftedClock _clock = new();
    private RecordingUpstream _upstream = null!;
    private TestGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await RecordingUpstream.StartAsync();
        _upstream.Respond = UploadFlowTests.Registry("?_state=x");
        _gateway = await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task ExpiredToken_WithItsUploadsTicket_GoesOnToTheEnd()
    {
        var token = Token("alice");
        var location = await LocationAsync("POST", Start, token);
        for (var i = 0; i < 10; i++)
        {
            _clock.Advance(3 * Lifetime); // each chunk takes three lives of a token
            location = await LocationAsync("PATCH", location, token);
        }

        using var status = await SendAsync("GET", location, token);
        using var completed = await SendAsync("PUT", $"{location}&digest={Digest}", token);

        Assert.Equal(HttpStatusCode.NoContent, status.StatusCode);
        Assert.Equal(HttpStatusCode.Created, completed.StatusCode);
        Assert.Equal(13, _upstream.Requests.Count);
    }

    [Fact]
    public async Task ExpiredToken_WithItsUploadsTicket_CanGiveItUp()
    {
        var token = Token("alice");
        var location = await LocationAsync("POST", Start, token);
        _clock.Advance(3 * Lifetime);

        using var cancelled = await SendAsync("DELETE", location, token);

        Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
    }

    [Fact]
    public async Task ExpiredToken_WithATicket_IsGoodForNothingElse()
    {
        var token = Token("alice");
        var location = await LocationAsync("POST", Start, token);
        var ticket = location[location.IndexOf('?')..];
        _clock.Advance(3 * Lifetime);
        (string, string)[] requests =
        [
            ("GET", "/v2/" + ticket),
            ("GET", "/v2/_catalog" + ticket),
            ("GET", "/v2/team-a/app/tags/list" + ticket),
            ("HEAD", "/v2/team-a/app/blobs/" + Digest + ticket),
            ("GET", "/v2/team-a/app/blobs/" + Digest + ticket),
            ("DELETE", "/v2/team-a/app/blobs/" + Digest + ticket),
            ("GET", "/v2/team-a/app/manifests/v1" + ticket),
            ("PUT", "/v2/team-a/app/manifests/v1" + ticket),
            ("DELETE", "/v2/team-a/app/manifests/v1" + ticket),
            ("GET", "/v2/team-a/app/referrers/" + Digest + ticket),
            ("POST", Start + ticket),
            ("POST", Start + ticket + $"&mount={Digest}&from=team-a/other"),
            ("PATCH", Start + "u1"),
            ("PATCH", Start + "u2" + ticket),
            ("PUT", Start + "u2" + ticket + "&digest=" + Digest),
            ("PATCH", "/v2/team-a/other/blobs/uploads/u1" + ticket),
            ("PATCH", Start + "u1" + ticket[..^1]),
        ];
        foreach (var (method, target) in requests)
        {
            using var answer = await SendAsync(method, target, token);
            Assert.True(answer.StatusCode == HttpStatusCode.Unauthorized, $"{method} {target}: {answer.StatusCode}");
            Assert.Contains(
                "error=\"invalid_token\"", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }

        using var fallback = await _gateway.SendAsync(
            HttpMethod.Get, "/token?service=registry.test" + ticket.Replace('?', '&'), null, null,
            ("Authorization", "Bearer " + token));
        Assert.NotEqual(HttpStatusCode.OK, fallback.StatusCode);
        Assert.Single(_upstream.Requests);
    }

    [Fact]
    public async Task ExpiredToken_BeyondTheWindow_IsRefusedHoweverOftenTheUploadWentOn()
    {
        var token = Token("alice");
        var location = await LocationAsync("POST", Start, token);
        var step = Window / 12;
        for (var i = 1; i < 12; i++)
        {
            _clock.Advance(step);
            location = await LocationAsync("PATCH", location, token); // a new ticket each time, and no new time
        }

        _clock.Advance(step + TimeSpan.FromSeconds(2));
        using var refused = await SendAsync("PATCH", location, token);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Contains(
            "error=\"invalid_token\"", refused.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);

        using var renewed = await SendAsync("PATCH", location, Token("alice")); // the neighbour: a new token
        Assert.Equal(HttpStatusCode.Accepted, renewed.StatusCode);
    }

    [Fact]
    public async Task FreshToken_DuringAnUpload_BeginsTheWindowAnew()
    {
        var location = await LocationAsync("POST", Start, Token("alice"));
        _clock.Advance(Window - Lifetime);
        var token = Token("alice");
        location = await LocationAsync("PATCH", location, token);
        _clock.Advance(Window - Lifetime);

        using var answer = await SendAsync("PATCH", location, token);

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Fact]
    public async Task TokenThatExpiredBeforeTheTicketsWindow_IsNotRevived()
    {
        var stolen = Token("alice");
        _clock.Advance(3 * Lifetime);
        var location = await LocationAsync("POST", Start, Token("alice"));

        using var answer = await SendAsync("PATCH", location, stolen);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task TokenThatExpiresWithinTheClocksTolerance_CountsFromItsEnd()
    {
        var token = Token("alice");
        _clock.Advance(Lifetime + TimeSpan.FromSeconds(50));
        var location = await LocationAsync("POST", Start, token);
        _clock.Advance(Window - TimeSpan.FromSeconds(55));
        using var before = await SendAsync("PATCH", location, token);
        _clock.Advance(TimeSpan.FromSeconds(10));
        using var after = await SendAsync("PATCH", location, token);

        Assert.Equal(HttpStatusCode.Accepted, before.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Fact]
    public async Task ExpiredToken_WhereTheWindowIsOff_IsRefused()
    {
        await using var gateway = await StartAsync(TimeSpan.Zero);
        var token = Token("alice", gateway);
        using var started = await SendAsync("POST", Start, token, gateway);
        var location = started.Headers.Location!.PathAndQuery;
        using var fresh = await SendAsync("PATCH", location, token, gateway); // the neighbour
        _clock.Advance(3 * Lifetime);

        using var answer = await SendAsync("PATCH", location, token, gateway);

        Assert.Equal(HttpStatusCode.Accepted, fresh.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task ExpiredToken_OfAnotherSubject_IsRefused()
    {
        var (alice, bob) = (Token("alice"), Token("bob"));
        var location = await LocationAsync("POST", Start, alice);
        _clock.Advance(3 * Lifetime);

        using var answer = await SendAsync("PATCH", location, bob);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Single(_upstream.Requests);
    }

    [Fact]
    public async Task ExpiredToken_WithoutTheScope_IsRefused()
    {
        var location = await LocationAsync("POST", Start, Token("alice"));
        var narrow = Token("alice", actions: RepositoryActions.Pull);
        _clock.Advance(3 * Lifetime);

        using var answer = await SendAsync("PATCH", location, narrow);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains(
            "error=\"insufficient_scope\"", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("removed", HttpStatusCode.Unauthorized)]
    [InlineData("revoked", HttpStatusCode.Unauthorized)]
    [InlineData("without the right", HttpStatusCode.Forbidden)]
    public async Task ExpiredToken_WhoseHolderMeanwhileIs_IsRefusedAtOnce(string what, HttpStatusCode expected)
    {
        var token = Token("alice");
        var location = await LocationAsync("POST", Start, token);
        _clock.Advance(3 * Lifetime);
        using var before = await SendAsync("PATCH", location, token);
        Assert.Equal(HttpStatusCode.Accepted, before.StatusCode);

        switch (what)
        {
            case "removed":
                var users = await File.ReadAllLinesAsync(_gateway.UsersFile);
                await File.WriteAllLinesAsync(
                    _gateway.UsersFile,
                    users.Where(static line => !line.StartsWith("alice:", StringComparison.Ordinal)));
                break;
            case "revoked":
                var alice = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" };
                await _gateway.Services.GetRequiredService<ICredentialStore>()
                    .RevokeAllAsync(alice, _clock.GetUtcNow(), CancellationToken.None);
                break;
            default:
                await File.WriteAllTextAsync(_gateway.PolicyFile, "rules: []");
                break;
        }

        await Eventually.TrueAsync(async () =>
        {
            using var answer = await SendAsync("PATCH", location, token);
            return answer.StatusCode == expected;
        });
    }

    [Fact]
    public async Task AnonymousToken_Expired_GoesOnWithTheAnonymousUploadOnly()
    {
        const string Drop = "/v2/drop/app/blobs/uploads/";
        var anonymous = Token(user: null, repository: "drop/app");
        var own = await LocationAsync("POST", Drop, anonymous);
        var alices = await LocationAsync("POST", Start, Token("alice"));
        _clock.Advance(3 * Lifetime);

        using var continued = await SendAsync("PATCH", own, anonymous);
        using var foreign = await SendAsync("PATCH", alices, anonymous);

        Assert.Equal(HttpStatusCode.Accepted, continued.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, foreign.StatusCode);
    }

    [Fact]
    public async Task Upload_BegunWithAPassword_GoesOnWithAnAccessTokenAndBack()
    {
        using var started = await _gateway.SendAsync(HttpMethod.Post, Start, "alice");
        var location = await LocationAsync("PATCH", started.Headers.Location!.PathAndQuery, Token("alice"));
        using var completed = await _gateway.SendAsync(HttpMethod.Put, $"{location}&digest={Digest}", "alice");

        Assert.Equal(HttpStatusCode.Created, completed.StatusCode);
    }

    [Fact]
    public async Task Ticket_OfAWindowThatWasMadeShorter_EndsWithTheShorterOne()
    {
        var subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" };
        var repository = RepositoryName.Parse("team-a/app");
        Assert.True(UploadId.TryParse("u1", out var upload));
        var ticket = new UploadTicket(UploadTicket.NameOf(subject), _clock.GetUtcNow() + 4 * Window, "?_state=x");
        var text = _gateway.Services.GetRequiredService<IUploadTickets>().Write(ticket, "main", repository, upload);
        var token = Token("alice");
        var target = $"{Start}u1?_ticket={text}";

        using var fresh = await SendAsync("PATCH", target, token);
        _clock.Advance(Window + 2 * Lifetime);
        using var expired = await SendAsync("PATCH", target, token);

        Assert.Equal(HttpStatusCode.Accepted, fresh.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, expired.StatusCode);
    }

    private Task<TestGateway> StartAsync(TimeSpan? window = null) => TestGateway.StartAsync(
        _upstream.Address,
        Policy,
        options => options.Tokens.UploadWindow = window ?? Window,
        builder => builder.Services.AddSingleton<TimeProvider>(_clock));

    private string Token(
        string? user, TestGateway? gateway = null, string repository = "team-a/app",
        RepositoryActions actions = RepositoryActions.Pull | RepositoryActions.Push)
    {
        var services = (gateway ?? _gateway).Services;
        var subject = user is null
            ? Subject.Anonymous
            : new Subject { Kind = SubjectKind.User, Name = user, Method = "htpasswd" };
        var scope = AccessScope.Create(
            [new RepositoryScope(RepositoryName.Parse(repository), actions)], catalog: false);
        return services.GetRequiredService<IAccessTokenIssuer>()
            .Issue(
                new Principal { Subject = subject }, scope,
                services.GetRequiredService<RegistryRouter>().PublicHost.Authority)
            .Text;
    }

    private Task<HttpResponseMessage> SendAsync(
        string method, string target, string token, TestGateway? gateway = null) =>
        (gateway ?? _gateway).SendAsync(
            new HttpMethod(method), target, null, method is "PATCH" or "PUT" ? new ByteArrayContent([1]) : null,
            ("Authorization", "Bearer " + token));

    private async Task<string> LocationAsync(string method, string target, string token)
    {
        using var answer = await SendAsync(method, target, token);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return answer.Headers.Location!.PathAndQuery;
    }
}
