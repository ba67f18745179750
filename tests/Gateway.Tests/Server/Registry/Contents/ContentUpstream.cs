using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Requests.Routing;
using Gateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Server.Registry.Contents;

/// <summary>A small registry with the manifests and blobs that a test gives it, and with its mistakes.</summary>
internal sealed class ContentUpstream : IAsyncDisposable
{
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";

    private readonly ConcurrentDictionary<string, Stored> _paths = new();
    private readonly RecordingUpstream _upstream;

    private ContentUpstream(RecordingUpstream upstream)
    {
        _upstream = upstream;
        upstream.Respond = RespondAsync;
    }

    public Uri Address => _upstream.Address;

    public IReadOnlyList<RecordedRequest> Requests => _upstream.Requests;

    /// <summary>Runs before an answer is given.</summary>
    public Func<HttpContext, Task> Before { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Runs when an answer is chosen, before it is given.</summary>
    public Func<HttpContext, Task> Late { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Makes mistakes in the headers of a 200.</summary>
    public Action<HttpResponse> Spoil { get; set; } = static _ => { };

    public static async Task<ContentUpstream> StartAsync() => new(await RecordingUpstream.StartAsync());

    /// <summary>A gateway before it, with the cache on.</summary>
    public Task<TestGateway> StartGatewayAsync(
        Action<ContentCacheOptions>? change = null,
        Action<GatewayOptions>? changeAll = null,
        Action<WebApplicationBuilder>? customize = null) =>
        TestGateway.StartAsync(
            [new RegistryOptions { Name = "main", Upstreams = [Address] }],
            change: options =>
            {
                options.ContentCache = new ContentCacheOptions();
                change?.Invoke(options.ContentCache);
                changeAll?.Invoke(options);
            },
            customize: customize);

    public static string DigestOf(byte[] body) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(body));

    public static byte[] ManifestOf(string note) => Encoding.UTF8.GetBytes(
        $$$"""
        {"schemaVersion":2,"mediaType":"{{{ManifestType}}}","config":{},"layers":[],"annotations":{"note":"{{{note}}}"}}
        """);

    /// <summary>Stores a manifest by its digest, and by a tag too.</summary>
    /// <returns>The path of it by its digest.</returns>
    public string PutManifest(string repository, string note, string? tag = null)
    {
        var body = ManifestOf(note);
        var digest = DigestOf(body);
        var stored = new Stored(body, ManifestType, digest);
        if (tag is not null)
        {
            _paths[$"/v2/{repository}/manifests/{tag}"] = stored;
        }

        return Put($"/v2/{repository}/manifests/{digest}", stored);
    }

    /// <summary>Stores a blob.</summary>
    public string PutBlob(string repository, byte[] body, string type = "application/octet-stream") =>
        Put($"/v2/{repository}/blobs/{DigestOf(body)}", new Stored(body, type, DigestOf(body)));

    /// <summary>Stores anything under any path.</summary>
    public string Put(string path, byte[] body, string type, string? digest) =>
        Put(path, new Stored(body, type, digest));

    /// <summary>Removes it, around the gateway.</summary>
    public void Remove(string path) => _paths.TryRemove(path, out _);

    /// <summary>How many requests came for a path.</summary>
    public int Count(string path, string? method = null) =>
        Requests.Count(request => request.Target == path && (method is null || request.Method == method));

    public ValueTask DisposeAsync() => _upstream.DisposeAsync();

    private string Put(string path, Stored stored)
    {
        _paths[path] = stored;
        return path;
    }

    private async Task RespondAsync(HttpContext context)
    {
        await Before(context);
        var path = context.Request.Path.Value!;
        if (!_paths.TryGetValue(path, out var stored))
        {
            context.Response.StatusCode = 404;
            return;
        }

        if (HttpMethods.IsDelete(context.Request.Method))
        {
            foreach (var (other, same) in _paths)
            {
                if (other == path || same.Digest == stored.Digest)
                {
                    _paths.TryRemove(other, out _);
                }
            }

            context.Response.StatusCode = 202;
            return;
        }

        if (HttpMethods.IsPut(context.Request.Method))
        {
            context.Response.StatusCode = 201;
            return;
        }

        await Late(context);
        var response = context.Response;
        response.ContentType = stored.Type;
        response.ContentLength = stored.Body.Length;
        response.Headers["Docker-Content-Digest"] = stored.Digest;
        response.Headers.ETag = $"\"{stored.Digest}\"";
        response.Headers.CacheControl = "max-age=31536000";
        Spoil(response);
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(stored.Body);
        }
    }

    private sealed record Stored(byte[] Body, string Type, string? Digest);
}
