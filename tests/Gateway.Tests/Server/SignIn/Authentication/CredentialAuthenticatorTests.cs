using System.Net;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class CredentialAuthenticatorTests
{
    private static readonly AuthenticationResult Accepted =
        new AuthenticationResult.Accepted(
            new Principal { Subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "test" } });

    private static readonly AuthenticationResult Refused = new AuthenticationResult.Refused("wrong password");
    private static readonly AuthenticationResult Undecided = new AuthenticationResult.Undecided("directory gone");
    private static readonly AuthenticationResult NotMine = AuthenticationResult.NotMine.Instance;

    private readonly ListLogger<CredentialAuthenticator> _log = new();

    [Theory]
    [InlineData(null)]
    [InlineData("Basic Og==")] // podman and skopeo without credentials
    [InlineData("basic Og==")]
    public async Task Authenticate_NoCredentials_IsAnonymousUnasked(string? header)
    {
        var (result, asked) = await Authenticate(header, Refused);
        Assert.Same(Subject.Anonymous, Assert.IsType<AuthenticationResult.Accepted>(result).Principal.Subject);
        Assert.Equal(0, asked);
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData("Basic YWxpY2U6c2VjcmV0")]
    [InlineData("basic YWxpY2U6c2VjcmV0")]
    [InlineData("BASIC YWxpY2U6c2VjcmV0")]
    public async Task Authenticate_Basic_AsksTheVerifiers(string header)
    {
        var (result, asked) = await Authenticate(header, Accepted);
        Assert.Same(Accepted, result);
        Assert.Equal(1, asked);
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData("", "unsupported scheme")]
    [InlineData(" ", "unsupported scheme")]
    [InlineData(" Basic YWxpY2U6c2VjcmV0", "unsupported scheme")]
    [InlineData("Digest username=\"alice\"", "unsupported scheme")]
    [InlineData("Basic\tYWxpY2U6c2VjcmV0", "unsupported scheme")]
    [InlineData("BasicYWxpY2U6c2VjcmV0", "unsupported scheme")]
    [InlineData("Basic", "Basic credentials without a colon")]
    [InlineData("Basic ", "Basic credentials without a colon")]
    [InlineData("Basic  YWxpY2U6c2VjcmV0", "Basic credentials that are not base64")]
    [InlineData("Basic YWxpY2U6c2VjcmV0 ", "Basic credentials that are not base64")]
    [InlineData("Basic Og==,Basic YWxpY2U6c2VjcmV0", "Basic credentials that are not base64")]
    [InlineData("Basic Og==, Basic YWxpY2U6c2VjcmV0", "Basic credentials that are not base64")]
    [InlineData("Basic YWxpY2U=", "Basic credentials without a colon")]
    public async Task Authenticate_MalformedOrOtherScheme_IsRefusedAndNeverAnonymous(string header, string reason)
    {
        var (result, asked) = await Authenticate(header, Accepted);
        Assert.Equal(new AuthenticationResult.Refused(reason), result);
        Assert.Equal(0, asked);
        Assert.Equal([$"Information 1003 Unreadable credentials were refused: {reason}."], _log.Lines);
    }

    [Fact]
    public async Task Authenticate_HeaderAtTheLimit_IsReadAndBeyondRefused()
    {
        // "Basic " and 6,138 bytes in base64 make 8,190 characters; three bytes more pass the limit.
        var (result, _) = await Authenticate(Header("alice", new string('e', 6138 - 6)), Accepted);
        Assert.Same(Accepted, result);
        (result, var asked) = await Authenticate(Header("alice", new string('e', 6138 - 3)), Accepted);
        Assert.Equal(new AuthenticationResult.Refused("the Authorization header is too long"), result);
        Assert.Equal(0, asked);
    }

    [Fact]
    public async Task Authenticate_BearerAtTheLimit_IsReadAndBeyondRefused()
    {
        var tokens = new FixedTokens(Accepted);
        var token = new string('e', PresentedCredentials.MaxBearerLength - "Bearer ".Length);
        Assert.Same(Accepted, await Authenticate("Bearer " + token, FixedIssued.None, tokens));
        Assert.Equal(
            new AuthenticationResult.Refused("the Authorization header is too long"),
            await Authenticate("Bearer e" + token, FixedIssued.None, tokens));
        Assert.Equal([(token, "registry.test", (DateTimeOffset?)null)], tokens.Asked);
    }

    [Theory]
    [InlineData("Bearer a.b.c", "a.b.c")]
    [InlineData("bearer a.b.c", "a.b.c")]
    [InlineData("BEARER a.b.c", "a.b.c")]
    [InlineData("Bearer  a.b.c", " a.b.c")] // as it stands: the verifier refuses it
    [InlineData("Bearer a.b.c, Basic Og==", "a.b.c, Basic Og==")]
    [InlineData("Bearer ", "")]
    [InlineData("Bearer", "")]
    public async Task Authenticate_Bearer_AsksForAccessTokensOnly(string header, string token)
    {
        var tokens = new FixedTokens(Refused);
        var issued = new FixedIssued(Accepted);
        Assert.Same(Refused, await Authenticate(header, issued, tokens));
        Assert.Equal([(token, "registry.test", (DateTimeOffset?)null)], tokens.Asked);
        Assert.Empty(issued.Asked);
        Assert.Equal(["Information 1006 A token was refused: wrong password."], _log.Lines);
    }

    [Theory]
    [InlineData(CredentialSecretKind.Personal)]
    [InlineData(CredentialSecretKind.Robot)]
    public async Task Authenticate_IssuedSecretAsPasswordOrBearer_IsNeverHashedNorReadAsAnAccessToken(
        CredentialSecretKind kind)
    {
        var secret = CredentialSecret.Create(kind).Reveal();
        var issued = new FixedIssued(Accepted);
        var tokens = new FixedTokens(Refused);
        Assert.Same(Accepted, await Authenticate(Header("alice", secret), issued, tokens, new FixedVerifier(Refused)));
        Assert.Same(Accepted, await Authenticate("Bearer " + secret, issued, tokens, new FixedVerifier(Refused)));
        Assert.Equal([(secret, "alice"), (secret, null)], issued.Asked);
        Assert.Empty(tokens.Asked);

        var verifier = new FixedVerifier(Accepted);
        Assert.Same(Refused, await Authenticate(Header("alice", secret), new FixedIssued(Refused), tokens, verifier));
        Assert.Same(
            Undecided, await Authenticate(Header("alice", secret), new FixedIssued(Undecided), tokens, verifier));
        Assert.Same(Undecided, await Authenticate("Bearer " + secret, new FixedIssued(Undecided), tokens, verifier));
        Assert.IsType<AuthenticationResult.Refused>(
            await Authenticate("Bearer " + secret, FixedIssued.None, tokens, verifier));
        Assert.Equal(0, verifier.Asked);
        Assert.DoesNotContain(_log.Lines, line => line.Contains(secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Authenticate_RefreshToken_IsRefusedWithATextThatSaysSo()
    {
        var secret = CredentialSecret.Create(CredentialSecretKind.Refresh).Reveal();
        var issued = new FixedIssued(Accepted);
        foreach (var header in new[] { Header("alice", secret), Header("", secret), "Bearer " + secret })
        {
            var refused = Assert.IsType<AuthenticationResult.Refused>(
                await Authenticate(header, issued, new FixedTokens(Accepted), new FixedVerifier(Accepted)));
            Assert.Equal("it is a refresh token, which only the token endpoint accepts", refused.Message);
        }

        Assert.Empty(issued.Asked);
    }

    [Fact]
    public async Task Authenticate_SessionSecretOrDeviceCodeAsPassword_IsNoFreeGuess()
    {
        // Whatever the guard does not count must not reach a method that looks at passwords.
        var verifier = new FixedVerifier(Refused);
        foreach (var password in new[]
        {
            CredentialSecret.Create(CredentialSecretKind.Session).Reveal(),
            "rgd.AAAA.AAAA",
            "rgd.guess",
            "plain",
        })
        {
            var asked = verifier.Asked;
            var header = Header("alice", password);
            Assert.IsType<AuthenticationResult.Refused>(
                await Authenticate(header, FixedIssued.None, new FixedTokens(Accepted), verifier));
            var isCounted = PresentedCredentials.Read(header).Form == SignInForm.Password;
            Assert.Equal(isCounted, verifier.Asked > asked);
        }

        Assert.Equal(3, verifier.Asked);
        Assert.Equal(SignInForm.Device, PresentedCredentials.Read("Bearer rgd.AAAA.AAAA").Form);
    }

    [Fact]
    public async Task Authenticate_OneHalfEmpty_IsNotAnonymous()
    {
        Assert.IsType<AuthenticationResult.Refused>((await Authenticate(Header("alice", ""), NotMine)).Result);
        Assert.IsType<AuthenticationResult.Refused>((await Authenticate(Header("", "secret"), NotMine)).Result);
    }

    public static TheoryData<string, string, int> Orders => new()
    {
        // what each method says, the answer, how many were asked
        { "", "refused", 0 },
        { "not mine", "refused", 1 },
        { "not mine, not mine", "refused", 2 },
        { "accepted, refused", "accepted", 1 },
        { "not mine, accepted", "accepted", 2 },
        { "refused, accepted", "refused", 1 },
        { "not mine, refused, accepted", "refused", 2 },
        { "undecided, accepted", "accepted", 2 },
        { "undecided, not mine", "undecided", 2 },
        { "not mine, undecided", "undecided", 2 },
        { "undecided, refused", "undecided", 2 },
        { "refused, undecided", "refused", 1 },
    };

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Authenticate_SeveralMethods_AnswersInOrder(string methods, string answer, int asked)
    {
        var values = new Dictionary<string, AuthenticationResult>
        {
            ["accepted"] = Accepted,
            ["refused"] = Refused,
            ["undecided"] = Undecided,
            ["not mine"] = NotMine,
        };
        var (result, count) = await Authenticate(
            Header("alice", "secret"),
            [.. methods.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(method => values[method])]);
        Assert.Equal(values[answer].GetType(), result.GetType());
        Assert.Equal(asked, count);
    }

    [Fact]
    public async Task Authenticate_Failure_LogsTheNameEscapedAndCutAndNeverThePassword()
    {
        await Authenticate(Header("al\"ice\u202E\\u", "canary-password"), Refused);
        await Authenticate(Header(new string('a', 200), "canary-password"), NotMine);
        await Authenticate(Header("alice", "canary-password"), Undecided);
        await Authenticate("Basic canary-password", Refused);
        Assert.Equal(
            [
                "Information 1001 The sign-in of \"al\\u0022ice\\u202E\\u005Cu\" was refused: wrong password.",
                $"Information 1001 The sign-in of \"{new string('a', 64)}…\" was refused: unknown user.",
                "Warning 1002 The gateway could not decide the sign-in of \"alice\" and answered 503: directory gone. "
                    + "Those who are signed in stay signed in.",
                "Information 1003 Unreadable credentials were refused: Basic credentials that are not base64.",
            ],
            _log.Lines);
    }

    [Fact]
    public async Task Authenticate_SecretInThePlaceOfTheName_IsNotLogged()
    {
        // "curl -u TOKEN:" is how other services take tokens.
        var secret = CredentialSecret.Create(CredentialSecretKind.Personal).Reveal();
        var mistyped = secret[..^1] + (secret[^1] == 'a' ? 'b' : 'a');

        await Authenticate(Header(secret, "x-oauth-basic"), NotMine);
        await Authenticate(Header(mistyped, "x-oauth-basic"), Undecided);

        Assert.Equal(2, _log.Lines.Count(static line => line.Contains("\"***\"", StringComparison.Ordinal)));
        Assert.DoesNotContain(_log.Lines, line => line.Contains(secret[4..^1], StringComparison.Ordinal));
    }

    private static string Header(string userName, string password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{userName}:{password}"));

    private async Task<(AuthenticationResult Result, int Asked)> Authenticate(
        string? header, params AuthenticationResult[] answers)
    {
        var verifiers = answers.Select((answer, index) => new FixedVerifier(answer, $"fixed:{index}")).ToArray();
        var result = await Authenticate(header, FixedIssued.None, new FixedTokens(Refused), [.. verifiers]);
        return (result, verifiers.Sum(verifier => verifier.Asked));
    }

    private async Task<AuthenticationResult> Authenticate(
        string? header, FixedIssued issued, FixedTokens tokens, params ICredentialVerifier[] verifiers) =>
        await new CredentialAuthenticator(
            new SignInMethods(verifiers, [], new AuthenticationOptions()), issued, new NoWorkloads(), tokens,
            _log).AuthenticateAsync(
            PresentedCredentials.Read(header), new CredentialContext("registry.test", IPAddress.Loopback),
            CancellationToken.None);

    private sealed class FixedVerifier(AuthenticationResult answer, string method = "fixed") : ICredentialVerifier
    {
        public int Asked { get; private set; }

        public string Method => method;

        public ValueTask<AuthenticationResult> VerifyAsync(
            BasicCredentials credentials, CancellationToken cancellationToken)
        {
            Asked++;
            return ValueTask.FromResult(answer);
        }
    }
}
