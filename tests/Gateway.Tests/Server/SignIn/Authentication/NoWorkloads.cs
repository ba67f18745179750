using System.Net;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

/// <summary>No issuer is configured.</summary>
internal sealed class NoWorkloads : IWorkloadCredentials
{
    public ValueTask<AuthenticationResult> VerifyAsync(
        string token, IPAddress clientAddress, CancellationToken cancellationToken) =>
        ValueTask.FromResult<AuthenticationResult>(AuthenticationResult.NotMine.Instance);
}
