using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Client.Doctor;
using Gateway.Client.Doctor.Client;

namespace Gateway.Tests.Client.Doctor;

/// <summary>A registry that means ill: secrets stay, texts are cleaned, and what could not run is said.</summary>
public sealed class HostileRegistryTests : IDisposable
{
    private const string Secret = "sesame-open-1";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TcpListener _elsewhere = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly ConcurrentQueue<string> _askedElsewhere = new();
    private string _tokens = """{"token":"t-o-k-e-n","expires_in":"300"}""";
    private string _location = "/v2/x/upload";
    private string? _challenge;
    private string _type = "application/json";

    public HostileRegistryTests()
    {
        _listener.Start();
        _elsewhere.Start();
        _ = ServeAsync(_listener, _asked);
        _ = ServeAsync(_elsewhere, _askedElsewhere);
    }

    private string Here => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    private string There => $"127.0.0.1:{((IPEndPoint)_elsewhere.LocalEndpoint).Port}";

    public void Dispose()
    {
        _listener.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public async Task Neighbour_PlainRegistry_SignsIn()
    {
        var diagnosis = await ExamineAsync();
        Assert.Contains(
            diagnosis.Findings, static finding => finding.Id == "TKN" && finding.Severity == Severity.Passed);
        Assert.Contains(_asked, static head => head.Contains("Authorization: Basic", StringComparison.Ordinal));
        Assert.Contains(
            diagnosis.Findings,
            static finding => finding.Id == "UPL"
                && finding.Evidence.Contains("accepts chunks", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://{0}/token")]
    [InlineData("//{0}/token")]
    [InlineData("https://{0}/token")]
    public async Task Realm_Elsewhere_GetsNoPassword(string realm)
    {
        _challenge = string.Format(null, realm, There);
        var diagnosis = await ExamineAsync();
        Assert.DoesNotContain(
            _askedElsewhere,
            static head => head.Contains("Basic", StringComparison.Ordinal)
                || head.Contains("POST", StringComparison.Ordinal));
        Assert.NotEqual(0, DoctorReport.ExitCodeOf(diagnosis));
        Assert.DoesNotContain(
            diagnosis.Findings,
            static finding => finding.Evidence.Contains("the sign-in succeeds", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://{0}/x")]
    [InlineData("//{0}/x")]
    [InlineData("mailto:x")]
    [InlineData("http://[")]
    public async Task Location_Elsewhere_GetsNoToken(string location)
    {
        _location = string.Format(null, location, There);
        Assert.NotEqual(0, DoctorReport.ExitCodeOf(await ExamineAsync()));
        Assert.Empty(_askedElsewhere);
    }

    [Fact]
    public async Task MessageThatEchoesThePassword_IsNotPrinted()
    {
        _tokens = $$"""{"errors":[{"message":"{{new string('x', 150)}} {{Secret}} \u001b[2J"}]}""";
        var diagnosis = await ExamineAsync();
        var text = new StringWriter();
        DoctorReport.Write(diagnosis, text);
        Assert.DoesNotContain("sesame", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', text.ToString());
        Assert.True(diagnosis.Has("TKN002", Severity.Error));
    }

    [Fact]
    public async Task TokenThatNoHeaderCarries_IsTheRegistrysFault_AndOddCharsetIsNone()
    {
        _tokens = """{"token":"a\r\nX: y"}""";
        _type = "text/plain; charset=evil";
        var diagnosis = await ExamineAsync();
        Assert.True(diagnosis.Has("TKN002", Severity.Error));
        Assert.False(diagnosis.Has("CHL006"));
        Assert.DoesNotContain(
            diagnosis.Findings,
            static finding => finding.Evidence.Contains("the check failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Repository_OddName_IsSaid()
    {
        var diagnosis = await ExamineAsync("../../token?x");
        Assert.Contains(
            diagnosis.Findings, static finding => finding.Id == "TKN" && finding.Severity == Severity.NotRun);
    }

    private Task<Diagnosis> ExamineAsync(string repository = "team-a/app") => ClientDoctor.ExamineAsync(
        new ClientQuestion(new Uri("http://" + Here))
        {
            User = "alice",
            Password = Secret,
            Repository = repository,
            MayProbeUploads = true,
            Machine = new ClientMachine(
                Path.Combine(Path.GetTempPath(), "gateway-nowhere"), new Dictionary<string, string>()),
        },
        TimeProvider.System,
        CancellationToken.None);

    private async Task ServeAsync(TcpListener listener, ConcurrentQueue<string> asked)
    {
        try
        {
            while (true)
            {
                _ = AnswerAsync(await listener.AcceptTcpClientAsync(), asked);
            }
        }
        catch (Exception exception)
            when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // the test has ended
        }
    }

    private async Task AnswerAsync(TcpClient client, ConcurrentQueue<string> asked)
    {
        try
        {
            using (client)
            using (var reader = new StreamReader(client.GetStream(), Encoding.Latin1))
            {
                var head = new StringBuilder();
                while (await reader.ReadLineAsync() is { Length: > 0 } line)
                {
                    head.Append(line).Append('\n');
                }

                if (head.Length == 0)
                {
                    return;
                }

                asked.Enqueue(head.ToString());
                var (status, extra, body) = Of(head.ToString());
                if (head.ToString().Contains("Content-Length: ", StringComparison.Ordinal)
                    && head.ToString().Contains("Authorization", StringComparison.Ordinal))
                {
                    var length = int.Parse(head.ToString().Split("Content-Length: ")[1].Split('\n')[0], null);
                    var rest = new char[8192];
                    while (length > 0
                        && await reader.ReadAsync(rest.AsMemory(0, Math.Min(length, rest.Length))) is var read and > 0)
                    {
                        length -= read;
                    }
                }

                var answer = $"HTTP/1.1 {status} X\r\nContent-Type: {_type}\r\nConnection: close\r\nContent-Length:"
                    + $" {body.Length}\r\n{extra}\r\n{body}";
                await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(answer));
            }
        }
        catch (IOException)
        {
            // the doctor has hung up
        }
    }

    private (int Status, string Extra, string Body) Of(string head)
    {
        if (head.Contains(" /token", StringComparison.Ordinal))
        {
            return (200, "", _tokens);
        }

        if (!head.Contains("Authorization: Bearer", StringComparison.Ordinal))
        {
            return (401, $"WWW-Authenticate: Bearer realm=\"{_challenge ?? $"http://{Here}/token"}\",service=\"s\"\r\n",
                "{}");
        }

        return head.StartsWith("POST", StringComparison.Ordinal) || head.StartsWith("PATCH", StringComparison.Ordinal)
            ? (202, $"Location: {_location}\r\n", "")
            : head.Contains("tags/list", StringComparison.Ordinal) ? (200, "", """{"tags":[7,"../../x?y","//evil"]}""")
            : (200, "", "{}");
    }
}
