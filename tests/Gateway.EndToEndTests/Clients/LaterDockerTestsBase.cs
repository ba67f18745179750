using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>docker 28 and later, with either image store.</summary>
public abstract class LaterDockerTestsBase : LaterClientTests
{
    private readonly LaterDockerEngine _engine;

    private protected LaterDockerTestsBase(ClientsFixture stack, string name, LaterDockerEngine engine)
        : base(stack, name, new DockerClient(stack.Gateway, engine)) => _engine = engine;

    private protected override string[] WrongPassword =>
        ["unauthorized: authentication failed: the user name or password is wrong"];

    // Its engine takes the plain "errors" of a token endpoint for no refusal, goes on to http:// where the host is a
    // loopback name, and prints "EOF".
    [Fact]
    public async Task WrongPassword_OnALoopbackName_IsCalledThatToo()
    {
        await using var gateway = await GatewayProcess.StartAsync(new GatewaySettings
        {
            Upstream = Stack.Registry.Address,
            Host = "localhost",
        });
        var folder = Directory.CreateTempSubdirectory("gateway-client-").FullName;
        try
        {
            var login = await ((IDockerEngine)_engine).DockerAsync(
                ["login", "--username", "alice", "--password-stdin", gateway.Authority],
                new CliSettings
                {
                    Input = "not-her-password",
                    Environment = new Dictionary<string, string?> { ["DOCKER_CONFIG"] = folder },
                });

            login.FailedWith(WrongPassword);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
