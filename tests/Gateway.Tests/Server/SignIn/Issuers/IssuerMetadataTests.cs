using Gateway.Server.SignIn.Issuers;
using Gateway.Server.SignIn.Workloads;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Tests.Server.SignIn.Issuers;

/// <summary>How often an issuer is asked, and what holds while it is away, lies or floods.</summary>
public sealed class IssuerMetadataTests : IAsyncLifetime
{
    private const string Audience = "https://registry.test";

    private readonly FakeTimeProvider _clock = new();
    private readonly ListLogger<IssuerMetadata> _log = new();
    private TestIssuer _issuer = null!;
    private IssuerMetadata _metadata = null!;

    public async Task InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _metadata = MetadataOf(_issuer.Url);
    }

    public async Task DisposeAsync()
    {
        _metadata.Dispose();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Rotation_IsPickedUpByItself_AndAtMostOnceInHalfAMinute()
    {
        Assert.IsType<IdTokenResult.Good>(await Verify());
        _issuer.Rotate();
        Assert.IsType<IdTokenResult.Bad>(await Verify()); // asked a moment ago
        Assert.Equal(1, _issuer.KeyRequests);

        _clock.Advance(IssuerMetadata.UnknownKeyFloor);
        Assert.IsType<IdTokenResult.Good>(await Verify());
        Assert.Equal(2, _issuer.KeyRequests);

        for (var i = 0; i < 50; i++)
        {
            await Verify(_issuer.Sign(Claims(), new { alg = "RS256", kid = "made-up-" + i }));
        }

        Assert.Equal(2, _issuer.KeyRequests); // a flood of unknown keys asks nobody
    }

    [Fact]
    public async Task Rotation_OfAKeyWithoutAName_IsPickedUpAsWell()
    {
        _issuer.OnKeys = context => context.Response.WriteAsync(
            _issuer.Keys().Replace($"\"kid\":\"{_issuer.KeyId}\",", "", StringComparison.Ordinal));
        var header = new { alg = "RS256" };
        Assert.IsType<IdTokenResult.Good>(await Verify(_issuer.Sign(Claims(), header)));

        _issuer.Rotate();
        Assert.IsType<IdTokenResult.Bad>(await Verify(_issuer.Sign(Claims(), header))); // asked a moment ago
        _clock.Advance(IssuerMetadata.UnknownKeyFloor);
        Assert.IsType<IdTokenResult.Good>(await Verify(_issuer.Sign(Claims(), header)));
        Assert.Equal(2, _issuer.KeyRequests);
    }

    [Fact]
    public async Task Away_LastGoodKeysStayForADay()
    {
        Assert.IsType<IdTokenResult.Good>(await Verify());
        _issuer.OnDocument = Fail;
        _clock.Advance(IssuerMetadata.RefreshAfter);
        Assert.IsType<IdTokenResult.Good>(await Verify());
        await Eventually.TrueAsync(() => !_metadata.IsUp);
        Assert.IsType<IdTokenResult.Good>(await Verify());

        _clock.Advance(IssuerMetadata.MaximumAge);
        var undecided = Assert.IsType<IdTokenResult.Undecided>(await Verify());
        Assert.Contains("answered 503", undecided.Reason, StringComparison.Ordinal);

        _issuer.OnDocument = null;
        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.IsType<IdTokenResult.Good>(await Verify());
        Assert.True(_metadata.IsUp);
    }

    [Fact]
    public async Task Away_IsNotAskedForEachRequest()
    {
        _issuer.OnDocument = Fail;
        for (var i = 0; i < 20; i++)
        {
            Assert.IsType<IdTokenResult.Undecided>(await Verify());
        }

        Assert.Equal(1, _issuer.DocumentRequests);
        _clock.Advance(TimeSpan.FromSeconds(2));
        await Verify();
        Assert.Equal(2, _issuer.DocumentRequests);
        Assert.Single(_log.Lines, static line => line.Contains("answered 503", StringComparison.Ordinal)); // said once
    }

    [Fact]
    public async Task ManyAtOnce_AskOnce()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Verify().AsTask()));
        Assert.All(results, static result => Assert.IsType<IdTokenResult.Good>(result));
        Assert.Equal((1, 1), (_issuer.DocumentRequests, _issuer.KeyRequests));
    }

    [Fact]
    public async Task Document_ThatCannotBeReliedOn_IsSaidWithItsCause()
    {
        await Says("names the issuer", issuer => issuer.ClaimedIssuer = "https://evil.test");
        await Says(
            "where 200 with a document is expected. Set the issuer's final address",
            issuer => issuer.OnDocument = context =>
        {
            context.Response.Redirect("http://169.254.169.254/");
            return Task.CompletedTask;
        });
        await Says(
            "did not answer with a discovery document",
            issuer => issuer.OnDocument = context => context.Response.WriteAsync("<html>"));
        await Says("no safe address for its keys", issuer => issuer.OnDocument = context =>
            context.Response.WriteAsync($$"""{"issuer":"{{issuer.Url}}","jwks_uri":"http://keys.example.com/"}"""));
        await Says("no key set", issuer => issuer.OnKeys = context => context.Response.WriteAsync("[]"));
        await Says("the request to", issuer => issuer.OnKeys = async context => // more than anyone needs
        {
            var chunk = new byte[64 * 1024];
            for (var i = 0; i < 20; i++)
            {
                await context.Response.Body.WriteAsync(chunk);
            }
        });
    }

    [Fact]
    public async Task LinkLocalAddress_IsNeverAsked()
    {
        using var http = new IssuerHttp(null);
        var problem = await Assert.ThrowsAsync<IssuerException>(
            () => http.GetAsync(new Uri("http://169.254.169.254/x"), CancellationToken.None));
        Assert.Contains("link-local", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unreachable_SaysWhatToLookFor()
    {
        await _issuer.DisposeAsync();
        var undecided = Assert.IsType<IdTokenResult.Undecided>(await Verify());
        Assert.Contains("Check that it runs", undecided.Reason, StringComparison.Ordinal);
    }

    private static Task Fail(HttpContext context)
    {
        context.Response.StatusCode = 503;
        return Task.CompletedTask;
    }

    private static async Task Says(string expected, Action<TestIssuer> spoil)
    {
        await using var issuer = await TestIssuer.StartAsync();
        spoil(issuer);
        using var metadata = new IssuerMetadata(
            "issuer:test", new WorkloadOptions { Issuer = issuer.Url }, null, new FakeTimeProvider(),
            new ListLogger<IssuerMetadata>());
        var exception = await Assert.ThrowsAsync<IssuerException>(
            () => metadata.GetAsync(CancellationToken.None).AsTask());
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.False(metadata.IsUp);
    }

    private System.Text.Json.Nodes.JsonObject Claims() => _issuer.Claims(Audience, "job-1", _clock.GetUtcNow());

    private IssuerMetadata MetadataOf(string url) =>
        new("issuer:test", new WorkloadOptions { Issuer = url }, null, _clock, _log);

    private ValueTask<IdTokenResult> Verify(string? token = null) => new IdTokenVerifier(_clock).VerifyAsync(
        token ?? _issuer.Sign(Claims()), _metadata, Audience, null, CancellationToken.None);
}
