using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Gateway.EndToEndTests.Support;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Hosting;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.EndToEndTests.Uploads;

/// <summary>
/// The whole gateway in this process, on a real port of localhost, with a clock that the test moves: lives of tokens
/// pass in no time, while sockets, TLS, the registry behind it and the clients in front of it are real.
/// </summary>
internal sealed class ClockedGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly X509Certificate2 _authority;

    private ClockedGateway(WebApplication app, string folder, int port, LateClock clock, Arrivals arrivals)
    {
        _app = app;
        Folder = folder;
        Port = port;
        Clock = clock;
        Arrived = arrivals;
        _authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(TrustFolder, "ca.crt"));
    }

    public LateClock Clock { get; }

    public string Folder { get; }

    /// <summary>The folder with <c>ca.crt</c> and nothing else, as <c>skopeo --cert-dir</c> wants it.</summary>
    public string TrustFolder => Path.Combine(Folder, "trust");

    public int Port { get; }

    public string Authority => $"localhost:{Port}";

    /// <summary>The requests that came, and when by the gateway's clock.</summary>
    public Arrivals Arrived { get; }

    /// <param name="upstream">The registry behind it.</param>
    /// <param name="change">Changes the options.</param>
    /// <param name="delay">How much later than it did each request arrives, by the gateway's clock.</param>
    public static async Task<ClockedGateway> StartAsync(
        Uri upstream, Action<GatewayOptions>? change = null, Func<HttpRequest, TimeSpan>? delay = null)
    {
        var folder = Directory.CreateTempSubdirectory("gateway-clocked-").FullName;
        try
        {
            var certificates = Path.Combine(folder, "certs");
            (await GatewayProcess.RunCommandAsync(["dev-cert", "--out", certificates, "--name", "localhost"]))
                .Succeeded();
            Directory.CreateDirectory(Path.Combine(folder, "trust"));
            File.Copy(Path.Combine(certificates, "ca.crt"), Path.Combine(folder, "trust", "ca.crt"));
            var users = Path.Combine(folder, "users.htpasswd");
            (await GatewayProcess.RunCommandAsync(
                ["user", "add", "alice", "--file", users], new CliSettings { Input = "alice-password-1\n" }))
                    .Succeeded();
            Directory.CreateDirectory(Path.Combine(folder, "policies"));
            await File.WriteAllTextAsync(Path.Combine(folder, "policies", "policy.yaml"), """
                rules:
                  - { name: alice writes, to: [ user:alice ], role: writer, on: [ "team-a/**" ] }
                """);
            var port = TestPaths.FreePort();
            var options = new GatewayOptions
            {
                PublicUrl = new Uri($"https://localhost:{port}"),
                Listen = new ListenerOptions { Https = $"127.0.0.1:{port}", Management = "" },
                Tls = new TlsOptions
                {
                    Certificates =
                    [
                        new CertificateOptions
                        {
                            Certificate = Path.Combine(certificates, "tls.crt"),
                            Key = Path.Combine(certificates, "tls.key"),
                        },
                    ],
                },
                Registries = [new RegistryOptions { Name = "main", Upstreams = [upstream] }],
                Authentication = new AuthenticationOptions { Htpasswd = new HtpasswdOptions { File = users } },
                Policies = Path.Combine(folder, "policies"),
                State = new StateOptions { Folder = Path.Combine(folder, "state") },
                Log = new LogOptions { Level = Microsoft.Extensions.Logging.LogLevel.None },
            };
            change?.Invoke(options);
            var clock = new LateClock();
            var arrivals = new Arrivals(clock, delay ?? (static _ => TimeSpan.Zero));
            var app = GatewayHost.Build(options, builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(clock);
                builder.Services.AddSingleton<IStartupFilter>(arrivals);
            });
            await app.StartAsync();
            return new ClockedGateway(app, folder, port, clock, arrivals);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>A client that trusts this gateway only.</summary>
    public HttpClient CreateClient()
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { _authority },
        };
        return new HttpClient(handler) { BaseAddress = new Uri($"https://localhost:{Port}") };
    }

    /// <summary>An access token for alice, from the token endpoint.</summary>
    public async Task<string> TokenAsync(HttpClient client, string scope)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri($"/token?service={Authority}&scope={scope}", UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String("alice:alice-password-1"u8));
        using var answer = await client.SendAsync(request);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty("token").GetString()!;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Writes down what arrives, before anything of the gateway sees it.</summary>
    internal sealed class Arrivals(LateClock clock, Func<HttpRequest, TimeSpan> delay) : IStartupFilter
    {
        private readonly ConcurrentQueue<Arrival> _requests = new();

        public IReadOnlyList<Arrival> Requests => [.. _requests];

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (HttpContext context, RequestDelegate rest) =>
            {
                clock.DelayThisRequest(delay(context.Request));
                var arrival = new Arrival(
                    context.Request.Method, context.Request.Path, context.Request.Headers.Authorization.ToString(),
                    clock.GetUtcNow());
                await rest(context);
                _requests.Enqueue(arrival with { Status = context.Response.StatusCode });
            });
            next(app);
        };
    }
}

/// <summary>A request as it arrived at a <see cref="ClockedGateway"/>.</summary>
/// <param name="Method">Its method.</param>
/// <param name="Path">Its path.</param>
/// <param name="Authorization">What it showed.</param>
/// <param name="At">When, by the gateway's clock.</param>
internal sealed record Arrival(string Method, string Path, string Authorization, DateTimeOffset At)
{
    /// <summary>What it was answered.</summary>
    public int Status { get; init; }

    /// <summary>When the access token that it showed ends; <see langword="null"/> where it showed none.</summary>
    public DateTimeOffset? TokenEnds
    {
        get
        {
            if (!Authorization.StartsWith("Bearer ", StringComparison.Ordinal))
            {
                return null;
            }

            using var claims = JsonDocument.Parse(
                Encoding.UTF8.GetString(Base64Url.DecodeFromChars(Authorization["Bearer ".Length..].Split('.')[1])));
            return DateTimeOffset.FromUnixTimeSeconds(claims.RootElement.GetProperty("exp").GetInt64());
        }
    }
}
