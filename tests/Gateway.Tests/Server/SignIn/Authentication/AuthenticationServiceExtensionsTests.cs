using System.Net;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.SignIn.Authentication;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class AuthenticationServiceExtensionsTests
{
    [Fact]
    public async Task AddGatewayAuthentication_FileConfigured_SignsItsUsersIn()
    {
        var folder = Directory.CreateTempSubdirectory("gateway-auth-");
        try
        {
            var file = Path.Combine(folder.FullName, "users.htpasswd");
            await File.WriteAllTextAsync(file, HtpasswdStage.Line("alice", "secret", cost: 8));
            await using var services = Services(
                new AuthenticationOptions { Htpasswd = new HtpasswdOptions { File = file } });
            var authenticator = services.GetRequiredService<CredentialAuthenticator>();
            var result = await Authenticate(authenticator, "Basic YWxpY2U6c2VjcmV0");
            Assert.Equal(
                "user:alice", Assert.IsType<AuthenticationResult.Accepted>(result).Principal.Subject.ToString());
            Assert.Equal("htpasswd", Assert.Single(services.GetServices<IReloadable>()).Name);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task AddGatewayAuthentication_NoFileConfigured_KnowsNobodyButAnonymous()
    {
        await using var services = Services(new AuthenticationOptions());
        var authenticator = services.GetRequiredService<CredentialAuthenticator>();
        Assert.IsType<AuthenticationResult.Accepted>(await Authenticate(authenticator, null));
        Assert.IsType<AuthenticationResult.Refused>(
            await Authenticate(authenticator, "Basic YWxpY2U6c2VjcmV0"));
        Assert.Equal(0, services.GetRequiredService<PasswordHasher>().Count);
        Assert.Single(services.GetServices<IReloadable>()).ReloadIfChanged();
    }

    [Fact]
    public void AddGatewayAuthentication_MissingFile_StopsTheStart()
    {
        using var services = Services(
            new AuthenticationOptions { Htpasswd = new HtpasswdOptions { File = "/nowhere/users" } });
        Assert.Throws<ProblemException>(() => services.GetRequiredService<CredentialAuthenticator>());
    }

    private static async Task<AuthenticationResult> Authenticate(
        CredentialAuthenticator authenticator, string? header) =>
        await authenticator.AuthenticateAsync(
            PresentedCredentials.Read(header), new CredentialContext("registry.test", IPAddress.Loopback),
            CancellationToken.None);

    private static ServiceProvider Services(AuthenticationOptions options) => new ServiceCollection()
        .AddLogging()
        .AddSingleton(TimeProvider.System)
        .AddSingleton(options)
        .AddGatewayAuthentication()
        .AddSingleton<IIssuedCredentials>(FixedIssued.None)
        .AddSingleton<IWorkloadCredentials, NoWorkloads>()
        .AddSingleton<IAccessTokenVerifier>(new FixedTokens(new AuthenticationResult.Refused("none")))
        .BuildServiceProvider();
}
