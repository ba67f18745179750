using System.Net;
using System.Text;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.SignIn.Authentication;

/// <summary>
/// What a whole gateway says of credentials that an accident spoiled, at <c>/token</c> and at <c>/v2/</c>.
/// </summary>
public sealed class CredentialHintTests(SharedGateway shared) : IClassFixture<SharedGateway>
{
    private const string Wrong = "the user name or password is wrong; ";
    private const string Unreadable = "the credentials cannot be read: ";

    private readonly TestGateway _gateway = shared.Gateway;

    [Theory]
    [InlineData("{0}", "{0}-password\n", Unreadable + "the password ends in a line break")]
    [InlineData("{0}", "{0}-password\r\n", Unreadable + "the password ends in a line break")]
    [InlineData("{0}\n", "{0}-password", Unreadable + "the user name ends in a line break")]
    [InlineData("{0}", "{0}\0-password", Unreadable + "the user name or password holds a control character")]
    [InlineData("{0}", "{0}-password ", Wrong + "the password begins or ends with white space")]
    [InlineData("{0}", "\u00a0{0}-password", Wrong + "the password begins or ends with white space")]
    [InlineData(" {0}", "{0}-password", Wrong + "the user name begins or ends with white space")]
    [InlineData("{0}", "\ufeff{0}-password", Wrong + "the password begins with a byte order mark")]
    [InlineData("\ufeff{0}", "{0}-password", Wrong + "the user name begins with a byte order mark")]
    [InlineData("{0}", "\"{0}-password\"", Wrong + "the password is in quotes")]
    [InlineData("{0}", "'{0}-password'", Wrong + "the password is in quotes")]
    [InlineData(
        "{0}", "{0}-password-0123456789012345678901234567890123456789012345678901234567890",
        Wrong + "the password has more than 72 bytes")]
    [InlineData("{0}", "", Wrong + "the password is empty")]
    [InlineData("{0}", "{0}-passwort", Wrong + "run \"docker login\" again")]
    public async Task SignIn_SpoiledByAnAccident_HearsOfItWhetherTheUserExistsOrNot(
        string name, string password, string message)
    {
        foreach (var user in new[] { "alice", "mallory" })
        {
            // Reading only what was sent: the same words for both.
            await AssertRefusedAsync(
                Encoding.UTF8.GetBytes(string.Format(null, name, user) + ":" + string.Format(null, password, user)),
                message);
        }
    }

    [Fact]
    public async Task SignIn_InLatin1_HearsOfUtf8()
    {
        await AssertRefusedAsync(
            Encoding.Latin1.GetBytes("alice:pässwörd"),
            Unreadable + "the user name or password holds characters outside ASCII");
        await AssertRefusedAsync(
            Encoding.Latin1.GetBytes("mallory:pässwörd"),
            Unreadable + "the user name or password holds characters outside ASCII");
    }

    [Theory]
    [InlineData("Bearer \"abc\"", "the token is not valid here; the token is in quotes")]
    [InlineData("Bearer  abc", "the token is not valid here; the token begins or ends with white space")]
    [InlineData("Bearer abc", "the token is not valid here\"")]
    public async Task Bearer_SpoiledByAnAccident_HearsOfIt(string authorization, string message)
    {
        using var answer = await _gateway.SendAsync(
            HttpMethod.Get, "/v2/", null, null, ("Authorization", authorization));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains("authentication failed: " + message, await TextAsync(answer), StringComparison.Ordinal);
    }

    // What is spoiled in no known way is not called an accident, and what is right stays right.
    [Fact]
    public async Task SignIn_WithTheRightPassword_HearsNothing()
    {
        using var answer = await _gateway.SendAsync(HttpMethod.Get, "/v2/", "alice");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private async Task AssertRefusedAsync(byte[] credentials, string message)
    {
        foreach (var target in new[] { "/token?service=registry.test", "/v2/" })
        {
            using var answer = await _gateway.SendAsync(
                HttpMethod.Get, target, null, null, ("Authorization", "Basic " + Convert.ToBase64String(credentials)));

            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Contains("authentication failed: " + message, await TextAsync(answer), StringComparison.Ordinal);
        }
    }

    private static async Task<string> TextAsync(HttpResponseMessage answer) =>
        (await answer.Content.ReadAsStringAsync()).Replace("\\\"", "\"", StringComparison.Ordinal);
}
