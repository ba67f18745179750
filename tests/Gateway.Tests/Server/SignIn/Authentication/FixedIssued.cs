using System.Net;
using Gateway.Core.Tokens;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

/// <summary>Says one thing of every secret, and notes what it was asked.</summary>
internal sealed class FixedIssued(AuthenticationResult answer) : IIssuedCredentials
{
    public static FixedIssued None => new(AuthenticationResult.NotMine.Instance);

    public List<(string Secret, string? UserName)> Asked { get; } = [];

    public ValueTask<AuthenticationResult> VerifyAsync(
        PresentedSecret secret, string? userName, IPAddress clientAddress, CancellationToken cancellationToken)
    {
        Asked.Add((secret.Text, userName));
        return ValueTask.FromResult(answer);
    }
}
