using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Bench.Servers;

namespace Gateway.Bench.Fronts;

/// <summary>One way to the registry's data, as clients see it. Dispose stops its server.</summary>
internal sealed partial class Front : IAsyncDisposable
{
    private readonly IAsyncDisposable? _server;

    /// <param name="key">Its name in the results.</param>
    /// <param name="title">Its name for people.</param>
    /// <param name="address">Its base URL.</param>
    /// <param name="process">The process whose time is the front's, with its children.</param>
    /// <param name="server">What Dispose stops; none: somebody else does.</param>
    public Front(string key, string title, Uri address, int process, IAsyncDisposable? server)
    {
        Key = key;
        Title = title;
        Address = address;
        Process = process;
        _server = server;
    }

    /// <summary>Its name in the results: <c>nginx-auth</c>.</summary>
    public string Key { get; }

    /// <summary>Its name for people.</summary>
    public string Title { get; }

    /// <summary>Its base URL.</summary>
    public Uri Address { get; }

    /// <summary>The process whose time is the front's, with its children.</summary>
    public int Process { get; }

    /// <summary>How callers identify themselves.</summary>
    public SignIn SignIn { get; init; }

    /// <summary>The registry behind it, if that is another process.</summary>
    public int? RegistryProcess { get; init; }

    /// <summary>The Redis that it uses.</summary>
    public RedisServer? Redis { get; init; }

    /// <summary>Whether each request costs it a hash that is slow on purpose.</summary>
    public bool IsSlow { get; init; }

    /// <summary>The gateway, where it is one.</summary>
    public GatewayServer? Gateway => _server as GatewayServer;

    /// <summary>Whether it is the gateway in any form.</summary>
    public bool IsGateway => SignIn == SignIn.Bearer;

    /// <summary>The header with which the bench's user may do something; none, if nobody is asked.</summary>
    /// <param name="client">A client of this front.</param>
    /// <param name="scope">The scope of an access token: <c>repository:bench/app:pull</c>; empty for a ping.</param>
    /// <param name="user">Who asks.</param>
    public async Task<AuthenticationHeaderValue?> AuthorizeAsync(
        HttpClient client, string scope, string user = Lab.User) => SignIn switch
        {
            SignIn.None => null,
            SignIn.Basic => Lab.BasicOf(user),
            _ => new AuthenticationHeaderValue(
                "Bearer", await FetchTokenAsync(client, await TokenUrlAsync(client, scope), Lab.BasicOf(user))),
        };

    /// <summary>The URL at which a client gets an access token, from the front's own challenge.</summary>
    public static async Task<Uri> TokenUrlAsync(HttpClient client, string scope)
    {
        using var answer = await client.GetAsync(new Uri("/v2/", UriKind.Relative));
        var challenge = Challenge().Match(answer.Headers.WwwAuthenticate.ToString());
        return challenge.Success
            ? new Uri($"{challenge.Groups[1].Value}?service={Uri.EscapeDataString(challenge.Groups[2].Value)}"
                + (scope.Length > 0 ? $"&scope={Uri.EscapeDataString(scope)}" : ""))
            : throw new BenchException($"{client.BaseAddress} sent no challenge that can be read.");
    }

    /// <summary>Fetches an access token.</summary>
    public static async Task<string> FetchTokenAsync(HttpClient client, Uri url, AuthenticationHeaderValue credential)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Authorization = credential } };
        using var answer = await client.SendAsync(request);
        Load.Content.Expect(answer, System.Net.HttpStatusCode.OK);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty("token").GetString()!;
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    [GeneratedRegex("^Bearer realm=\"([^\"]+)\",\\s*service=\"([^\"]+)\"")]
    private static partial Regex Challenge();
}
