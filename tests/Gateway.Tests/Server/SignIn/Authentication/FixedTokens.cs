using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

/// <summary>Says one thing of every access token, and notes what it was asked.</summary>
internal sealed class FixedTokens(AuthenticationResult answer) : IAccessTokenVerifier
{
    public List<(string Token, string Audience, DateTimeOffset? ContinueUntil)> Asked { get; } = [];

    public AuthenticationResult Verify(string token, string audience, DateTimeOffset? continueUntil)
    {
        Asked.Add((token, audience, continueUntil));
        return answer;
    }
}
