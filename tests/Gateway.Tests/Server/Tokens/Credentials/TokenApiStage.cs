using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.Server.Host.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Tokens.Credentials;

/// <summary>
/// A gateway whose tokens' API is asked; every answer is compared with <c>openapi.json</c>. "admin" administers.
/// </summary>
public sealed class TokenApiStage : IAsyncLifetime
{
    private RecordingUpstream _upstream = null!;

    /// <summary>What was answered so far: <c>post /api/v1/tokens 201</c>.</summary>
    internal HashSet<string> Seen { get; } = [];

    internal TestGateway Gateway { get; private set; } = null!;

    internal OpenApiDescription Description { get; private set; } = null!;

    public Task InitializeAsync() => StartAsync(static _ => { });

    internal async Task StartAsync(Action<GatewayOptions> change)
    {
        _upstream = await RecordingUpstream.StartAsync();
        Gateway = await TestGateway.StartAsync(_upstream.Address, change: options =>
        {
            options.Tokens.Administrators = ["user:admin"];
            change(options);
        });
        using var answer = await Gateway.SendAsync(HttpMethod.Get, "/api/v1/openapi.json");
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Description = new OpenApiDescription(document.RootElement.Clone());
    }

    public async Task DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    /// <summary>Sends a request and compares the answer with its description.</summary>
    /// <param name="method">GET, POST, DELETE.</param>
    /// <param name="target">The path behind <c>/api/v1/tokens</c>, with its query.</param>
    /// <param name="user">Who signs in with his password; <see langword="null"/> for nobody.</param>
    /// <param name="body">JSON; without one there is no body and no type.</param>
    /// <param name="type">The body's type.</param>
    /// <param name="headers">Further headers; an <c>Authorization</c> among them takes the user's place.</param>
    internal async Task<ApiAnswer> SendAsync(
        string method,
        string target,
        string? user,
        string? body = null,
        string type = "application/json",
        params (string Name, string Value)[] headers)
    {
        using var content = body is null ? null : new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        if (content is not null && type.Length > 0)
        {
            content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        using var answer = await Gateway.SendAsync(
            new HttpMethod(method), "/api/v1/tokens" + target, user, content, headers);
        var path = target.Split('?')[0];
        var template = "/api/v1/tokens"
            + (path.Length == 0 ? "" : path.EndsWith("/rotate", StringComparison.Ordinal) ? "/{id}/rotate" : "/{id}");
        Seen.Add(await Description.CheckAsync(answer, method, template));
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        Assert.Equal(16, Assert.Single(answer.Headers.GetValues("X-Request-Id")).Length);
        var text = await answer.Content.ReadAsStringAsync();
        using var document = text.Length == 0 ? null : JsonDocument.Parse(text);
        return new ApiAnswer(
            answer.StatusCode,
            document?.RootElement.Clone() ?? default,
            answer.Headers.Location?.ToString(),
            answer.Headers.TryGetValues("WWW-Authenticate", out var challenges) ? Assert.Single(challenges) : null);
    }

    /// <summary>Makes a token and gives its id and secret.</summary>
    internal async Task<(string Id, string Secret)> CreateAsync(
        string user, string name = "laptop", string scopes = "null", string? robot = null)
    {
        var member = robot is null ? "" : $", \"robot\": \"{robot}\"";
        var answer = await SendAsync("POST", "", user, $$"""{"name": "{{name}}", "scopes": {{scopes}}{{member}}}""");
        Assert.Equal(HttpStatusCode.Created, answer.Status);
        return (answer.Token.GetProperty("id").GetString()!, answer.Body.GetProperty("secret").GetString()!);
    }
}

internal sealed record ApiAnswer(HttpStatusCode Status, JsonElement Body, string? Location, string? Challenge)
{
    public JsonElement Token => Body.GetProperty("token");

    /// <summary>Code and message of the one error: <c>DENIED: …</c>.</summary>
    public string Error
    {
        get
        {
            var error = Assert.Single(Body.GetProperty("errors").EnumerateArray());
            return $"{error.GetProperty("code").GetString()}: {error.GetProperty("message").GetString()}";
        }
    }

    public string[] Ids =>
        [.. Body.GetProperty("tokens").EnumerateArray().Select(static token => token.GetProperty("id").GetString()!)];
}
