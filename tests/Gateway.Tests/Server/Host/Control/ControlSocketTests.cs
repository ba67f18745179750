#pragma warning disable CA1416 // the gateway runs on Linux
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Gateway.Server.Host.Control;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Host.Control;

/// <summary>The socket by which commands of the same machine ask the running gateway.</summary>
public sealed class ControlSocketTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TemporaryFolder _folder = new();

    private string SocketFile => Path.Combine(_folder.Path, "state", ControlSocket.FileName);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Prepare_NoFolderYet_MakesOneForTheOwnerAlone()
    {
        Assert.Null(ControlSocket.Prepare(SocketFile));

        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(SocketFile)!));
        Assert.False(File.Exists(SocketFile));
    }

    [Fact]
    public void Prepare_LeftByOneThatWasKilled_MakesRoom()
    {
        Assert.Null(ControlSocket.Prepare(SocketFile));
        using (Listen())
        {
            Assert.True(ControlSocket.IsServed(SocketFile));
        }

        File.WriteAllText(SocketFile, ""); // .NET removes its own; kill -9 leaves it
        Assert.False(ControlSocket.IsServed(SocketFile));
        Assert.Null(ControlSocket.Prepare(SocketFile));
        Assert.False(File.Exists(SocketFile));
    }

    [Fact]
    public void Prepare_AnotherGatewayListens_LeavesItAlone()
    {
        Assert.Null(ControlSocket.Prepare(SocketFile));
        using var other = Listen();

        Assert.Contains("another gateway", ControlSocket.Prepare(SocketFile), StringComparison.Ordinal);
        Assert.True(ControlSocket.IsServed(SocketFile));
    }

    [Fact]
    public void Prepare_PathTooLongForASocket_SaysSo() => Assert.Contains(
        "longer than 107 bytes",
        ControlSocket.Prepare(Path.Combine(_folder.Path, new string('a', 100), ControlSocket.FileName)),
        StringComparison.Ordinal);

    [Fact]
    public async Task Running_Gateway_AnswersItsOwnerAndWritesNoRights()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        var path = "";
        await using var gateway = await TestGateway.StartAsync(
            upstream.Address, change: options => path = ControlSocket.PathOf(options));

        Assert.Equal(OwnerOnly, File.GetUnixFileMode(path));
        using var client = ControlSocket.CreateClient(path);
        using var files = JsonDocument.Parse(await client.GetStringAsync("/files"));
        var names = files.RootElement.GetProperty("files").EnumerateArray()
            .Select(static file => file.GetProperty("name").GetString()).ToList();
        Assert.Contains("policies", names);
        Assert.Contains("htpasswd", names);

        // What reads is asked by GET, what changes by POST, and nothing else is there.
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.PostAsync("/files", null)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.GetAsync("/files/htpasswd")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsync("/files/htpasswd", null)).StatusCode);

        // Over the network none of it can be reached.
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.SendAsync(HttpMethod.Get, "/files", "admin")).StatusCode);
        Assert.Equal(
            HttpStatusCode.NotFound, (await gateway.SendAsync(HttpMethod.Post, "/files/htpasswd", "admin")).StatusCode);
    }

    [Fact]
    public async Task Files_PolicyThatIsNotUnderstood_IsToldWithItsProblem()
    {
        await using var upstream = await RecordingUpstream.StartAsync();
        var path = "";
        await using var gateway = await TestGateway.StartAsync(
            upstream.Address, change: options => path = ControlSocket.PathOf(options));
        using var client = ControlSocket.CreateClient(path);
        await File.WriteAllTextAsync(gateway.PolicyFile, "rules: [ { name: x } ]");

        await Eventually.TrueAsync(
            async () => (await client.GetStringAsync("/files")).Contains("policy.yaml:1", StringComparison.Ordinal));
    }

    private Socket Listen()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(SocketFile));
        socket.Listen();
        return socket;
    }
}
