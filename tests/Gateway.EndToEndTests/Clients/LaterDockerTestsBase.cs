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
        await using var gateway = await StartOnLocalhostAsync();
        (await LoginAsync(gateway)).FailedWith(WrongPassword);
    }

    // docs/clients.md. No answer of the plain port can tell it more: a 401 there would ask for the password in the
    // clear.
    [Fact]
    public async Task LimitOnGuesses_OnALoopbackName_EndsAtPlainHttp()
    {
        await using var gateway = await StartOnLocalhostAsync();
        CliResult login;
        var guesses = 0;
        do
        {
            login = await LoginAsync(gateway);
        }
        while (login.Text.Contains(WrongPassword[0], StringComparison.Ordinal) && ++guesses < 30);

        login.FailedWith($"login attempt to http://{gateway.Authority}/v2/ failed with status: 400 Bad Request");
    }

    private Task<GatewayProcess> StartOnLocalhostAsync() => GatewayProcess.StartAsync(new GatewaySettings
    {
        Upstream = Stack.Registry.Address,
        Host = "localhost",
    });

    private async Task<CliResult> LoginAsync(GatewayProcess gateway)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-client-").FullName;
        try
        {
            return await ((IDockerEngine)_engine).DockerAsync(
                ["login", "--username", "alice", "--password-stdin", gateway.Authority],
                new CliSettings
                {
                    Input = "not-her-password",
                    Environment = new Dictionary<string, string?> { ["DOCKER_CONFIG"] = folder },
                });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
