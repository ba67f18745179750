using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.SignIn.ClientCertificates;

/// <summary>A gateway that asks for client certificates, its authority, and clients that show some.</summary>
internal sealed class CertificateStage : IAsyncDisposable
{
    public const string Manifest = "/v2/team-a/app/manifests/latest";

    public const string Policy = TestGateway.DefaultPolicy + "\n" + """
          - { name: carol writes, to: ["user:carol", "user:carol@example.com", "user:ci.example.com"], role: writer, on: ["team-a/**"] }
          - { name: workloads write, to: ["issuer:spiffe://example.org"], when: { uri: "spiffe://example.org/ns/prod/*" }, role: writer, on: ["team-a/**"] }
          - { name: unit reads, to: ["group:builders"], role: reader, on: ["built/**"] }
        """;

    private readonly TemporaryFolder _folder;
    private readonly List<HttpClient> _clients = [];

    private CertificateStage(TemporaryFolder folder, ClientAuthority authority, RecordingUpstream upstream)
    {
        _folder = folder;
        Authority = authority;
        Upstream = upstream;
    }

    public ClientAuthority Authority { get; }

    public RecordingUpstream Upstream { get; }

    public TestGateway Gateway { get; private set; } = null!;

    public ShiftedClock Clock { get; } = new();

    public LogSink Log { get; } = new();

    public string AuthoritiesFile => Path.Combine(_folder.Path, "clients.crt");

    public string ListFile => Path.Combine(_folder.Path, "clients.crl");

    /// <param name="change">Changes the options.</param>
    /// <param name="withList">Whether there is a revocation list, which revokes nobody yet.</param>
    /// <param name="all">Changes the whole configuration.</param>
    public static async Task<CertificateStage> StartAsync(
        Action<ClientCertificateOptions>? change = null, bool withList = false, Action<GatewayOptions>? all = null)
    {
        var stage = new CertificateStage(
            new TemporaryFolder(), ClientAuthority.CreateRoot(), await RecordingUpstream.StartAsync());
        File.WriteAllText(stage.AuthoritiesFile, stage.Authority.Pem);
        var options = new ClientCertificateOptions { CertificateAuthorities = stage.AuthoritiesFile };
        if (withList)
        {
            File.WriteAllBytes(stage.ListFile, stage.Authority.Revoke(null));
            options.RevocationLists = [stage.ListFile];
        }

        change?.Invoke(options);
        stage.Gateway = await TestGateway.StartAsync(
            stage.Upstream.Address,
            Policy,
            gateway =>
            {
                gateway.Authentication.ClientCertificates = options;
                gateway.Log.Level = LogLevel.Information;
                all?.Invoke(gateway);
            },
            builder =>
            {
                builder.Logging.ClearProviders().AddProvider(stage.Log);
                builder.Services.RemoveAll<TimeProvider>();
                builder.Services.AddSingleton<TimeProvider>(stage.Clock);
            });
        return stage;
    }

    /// <summary>A client that shows a certificate.</summary>
    public HttpClient Client(X509Certificate2 certificate, params ClientAuthority[] intermediates) =>
        Client(ClientAuthority.Show(certificate, intermediates));

    /// <summary>A client that shows what it is told to.</summary>
    public HttpClient Client(SslStreamCertificateContext? shown)
    {
        var client = Gateway.CreateClient(shown);
        _clients.Add(client);
        return client;
    }

    /// <summary>Sends one request.</summary>
    public static async Task<StageAnswer> SendAsync(
        HttpClient client, string target = Manifest, HttpMethod? method = null,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, $"https://{TestGateway.Host}{target}");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await client.SendAsync(request);
        return new StageAnswer(
            answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer.Headers.WwwAuthenticate.ToString());
    }

    /// <summary>Gets an access token for the certificate that the client shows.</summary>
    public static async Task<string> TokenAsync(HttpClient client, string scope = "repository:team-a/app:pull,push")
    {
        var answer = await SendAsync(client, $"/token?service={TestGateway.Host}&scope={scope}");
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        using var json = JsonDocument.Parse(answer.Body);
        return json.RootElement.GetProperty("token").GetString()!;
    }

    /// <summary>Sends one request as a registry's client does: where it is asked to, once more with a token.</summary>
    public static async Task<StageAnswer> AskAsync(HttpClient client, string target = Manifest)
    {
        var answer = await SendAsync(client, target);
        if (answer.Status != HttpStatusCode.Unauthorized || answer.Challenge.Length == 0)
        {
            return answer;
        }

        var granted = await SendAsync(client, $"/token?service={TestGateway.Host}&scope=repository:team-a/app:pull");
        if (granted.Status != HttpStatusCode.OK)
        {
            return granted;
        }

        using var json = JsonDocument.Parse(granted.Body);
        return await SendAsync(client, target, headers: Bearer(json.RootElement.GetProperty("token").GetString()!));
    }

    /// <summary>The header of an access token.</summary>
    public static (string Name, string Value) Bearer(string token) => ("Authorization", "Bearer " + token);

    /// <summary>Puts a file into force.</summary>
    public async Task ReplaceAsync(string file, byte[] content)
    {
        var trust = Gateway.Services.GetRequiredService<Reloadable<ClientCertificateTrust>>();
        var reloads = trust.Status.Reloads;
        File.WriteAllBytes(file + ".new", content);
        File.Move(file + ".new", file, overwrite: true);
        await Eventually.TrueAsync(() => trust.Status.Reloads > reloads);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            client.Dispose();
        }

        await Gateway.DisposeAsync();
        await Upstream.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>What a client got.</summary>
internal sealed record StageAnswer(HttpStatusCode Status, string Body, string Challenge);
