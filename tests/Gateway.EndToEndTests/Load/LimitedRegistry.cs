using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Gateway.EndToEndTests.Load;

/// <summary>
/// A registry of one image that gives a number of manifests and no more: what limit-check.js must be able to count.
/// Whether the gateway's own limits are right is tested elsewhere.
/// </summary>
internal sealed class LimitedRegistry : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly int _permits;
    private readonly string _retryAfter;
    private string _manifest = "";
    private int _taken;

    private LimitedRegistry(WebApplication app, int permits, string retryAfter)
    {
        _app = app;
        _permits = permits;
        _retryAfter = retryAfter;
    }

    /// <summary>Its base URL.</summary>
    public string Address => _app.Urls.Single();

    public static async Task<LimitedRegistry> StartAsync(int permits, string retryAfter = "60")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(
            static server => server.Listen(
                IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http1));
        var app = builder.Build();
        var registry = new LimitedRegistry(app, permits, retryAfter);
        app.Run(registry.AnswerAsync);
        await app.StartAsync();
        return registry;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var (request, answer) = (context.Request, context.Response);
        if (request.Path == "/token")
        {
            await answer.WriteAsync("""{"token":"a-token","expires_in":300}""");
            return;
        }

        if (request.Headers.Authorization != "Bearer a-token")
        {
            answer.StatusCode = 401;
            answer.Headers.WWWAuthenticate =
                $"Bearer realm=\"{Address}/token\",service=\"test\",scope=\"repository:any:pull,push\"";
            return;
        }

        switch (request.Method, request.Path.Value!.Split('/')[^2])
        {
            case ("HEAD", "blobs"):
                answer.StatusCode = 404;
                break;
            case ("POST", "uploads"):
                answer.StatusCode = 202;
                answer.Headers.Location = "/v2/any/blobs/uploads/1?_state=x";
                break;
            case ("PUT", "uploads"):
                answer.StatusCode = 201;
                answer.Headers["Docker-Content-Digest"] = request.Query["digest"];
                break;
            case ("PUT", "manifests"):
                _manifest = await new StreamReader(request.Body).ReadToEndAsync();
                answer.StatusCode = 201;
                answer.Headers["Docker-Content-Digest"] = Digest;
                break;
            case ("HEAD", "manifests"):
                answer.Headers["Docker-Content-Digest"] = Digest;
                break;
            case ("GET", "manifests"):
                await PullAsync(answer);
                break;
            default:
                answer.StatusCode = 500;
                break;
        }
    }

    private string Digest =>
        $"sha256:{Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(_manifest)))}";

    private Task PullAsync(HttpResponse answer)
    {
        var left = _permits - Interlocked.Increment(ref _taken);
        answer.Headers["ratelimit-limit"] = $"{_permits};w=86400";
        answer.Headers["ratelimit-remaining"] = $"{Math.Max(0, left)};w=86400";
        if (left >= 0)
        {
            return answer.WriteAsync(_manifest);
        }

        answer.StatusCode = 429;
        answer.Headers.RetryAfter = _retryAfter;
        return answer.WriteAsync("""{"errors":[{"code":"TOOMANYREQUESTS","message":"pulls are limited"}]}""");
    }
}
