using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.SignIn.Issuers;

/// <summary>An issuer on loopback whose document, keys and tokens a test may spoil, one defect at a time.</summary>
internal sealed class TestIssuer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestIssuer(WebApplication app) => _app = app;

    /// <summary>As its tokens name it.</summary>
    public string Url { get; private set; } = "";

    /// <summary>What it signs with, under the id <see cref="KeyId"/>; RS256.</summary>
    public RSA Key { get; private set; } = RSA.Create(2048);

    public string KeyId { get; private set; } = "key-1";

    /// <summary>How often each path was asked.</summary>
    public int DocumentRequests { get; private set; }

    public int KeyRequests { get; private set; }

    /// <summary>Answers in the place of a document or the keys, where a test sets it.</summary>
    public Func<HttpContext, Task>? OnDocument { get; set; }

    public Func<HttpContext, Task>? OnKeys { get; set; }

    /// <summary>Further endpoints, by their path: <c>/token</c>, <c>/userinfo</c>.</summary>
    public Dictionary<string, Func<HttpContext, Task>> Endpoints { get; } = [];

    /// <summary>Further members of the document.</summary>
    public JsonObject MoreOfDocument { get; } = [];

    /// <summary>What the document says its issuer is; its own URL unless set.</summary>
    public string? ClaimedIssuer { get; set; }

    public static async Task<TestIssuer> StartAsync(int port = 0, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        var app = builder.Build();
        var issuer = new TestIssuer(app);
        app.Run(issuer.HandleAsync);
        await app.StartAsync();
        issuer.Url = app.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses
            .Single();
        issuer.Url = certificate is null
            ? issuer.Url
            : issuer.Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        return issuer;
    }

    /// <summary>Takes another key into use; the old one is published no more.</summary>
    public void Rotate()
    {
        Key = RSA.Create(2048);
        KeyId = "key-" + Guid.NewGuid().ToString("N")[..8];
    }

    /// <summary>The public key as a JWKS.</summary>
    public string Keys()
    {
        var parameters = Key.ExportParameters(false);
        return JsonSerializer.Serialize(new
        {
            keys = new[]
            {
                new
                {
                    kty = "RSA",
                    use = "sig",
                    alg = "RS256",
                    kid = KeyId,
                    n = Base64Url.EncodeToString(parameters.Modulus),
                    e = Base64Url.EncodeToString(parameters.Exponent),
                },
            },
        });
    }

    /// <summary>Claims of a token that is good for an hour.</summary>
    public JsonObject Claims(string audience, string subject, DateTimeOffset now, string more = "{}")
    {
        var claims = new JsonObject
        {
            ["iss"] = Url,
            ["aud"] = audience,
            ["sub"] = subject,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddHours(1).ToUnixTimeSeconds(),
            ["jti"] = Guid.NewGuid().ToString(),
        };
        foreach (var (name, value) in JsonNode.Parse(more)!.AsObject())
        {
            claims[name] = value?.DeepClone();
        }

        return claims;
    }

    /// <summary>Signs claims; the header may be another than its own.</summary>
    public string Sign(JsonNode claims, object? header = null) => Sign(claims.ToJsonString(), header);

    public string Sign(string claims, object? header = null)
    {
        var text = Encode(JsonSerializer.Serialize(header ?? new { alg = "RS256", typ = "JWT", kid = KeyId })) + "."
            + Encode(claims);
        return text + "." + Base64Url.EncodeToString(
            Key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        switch (context.Request.Path.Value)
        {
            case "/.well-known/openid-configuration":
                DocumentRequests++;
                await (OnDocument?.Invoke(context) ?? context.Response.WriteAsync(Document()));
                break;
            case "/keys":
                KeyRequests++;
                await (OnKeys?.Invoke(context) ?? context.Response.WriteAsync(Keys()));
                break;
            case { } path when Endpoints.TryGetValue(path, out var endpoint):
                await endpoint(context);
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }
    }

    private string Document()
    {
        var document = new JsonObject
        {
            ["issuer"] = ClaimedIssuer ?? Url,
            ["jwks_uri"] = Url + "/keys",
            ["authorization_endpoint"] = Url + "/authorize",
            ["token_endpoint"] = Url + "/token",
        };
        foreach (var (name, value) in MoreOfDocument)
        {
            document[name] = value?.DeepClone();
        }

        return document.ToJsonString();
    }
}
