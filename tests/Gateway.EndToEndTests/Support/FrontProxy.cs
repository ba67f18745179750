using System.Diagnostics;
using System.Globalization;

namespace Gateway.EndToEndTests.Support;

/// <summary>A real proxy in front of a registry, as operators put one there: nginx or HAProxy, from Debian.</summary>
internal sealed class FrontProxy : IAsyncDisposable
{
    /// <summary>The largest body that it lets through, in bytes.</summary>
    public const int LargestBody = 100_000_000;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly ServerProcess _process;
    private readonly string _folder;

    private FrontProxy(ServerProcess process, string folder, int port)
    {
        _process = process;
        _folder = folder;
        Address = new Uri($"http://127.0.0.1:{port}");
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="kind">
    /// nginx, nginx-streaming (which does not collect a body before it sends it on), or haproxy.
    /// </param>
    /// <param name="registry">The registry behind it.</param>
    public static async Task<FrontProxy> StartAsync(string kind, Uri registry)
    {
        var folder = Directory.CreateTempSubdirectory("proxy-").FullName;
        var port = TestPaths.FreePort();
        var configuration = Path.Combine(folder, "proxy.conf");
        await File.WriteAllTextAsync(
            configuration,
            kind == "haproxy" ? HaProxy(port, registry) : Nginx(folder, port, registry, kind == "nginx-streaming"));
        var start = kind == "haproxy"
            ? new ProcessStartInfo("haproxy", ["-db", "-f", configuration])
            : new ProcessStartInfo("nginx", ["-c", configuration, "-p", folder]);
        start.Environment["PATH"] = "/usr/sbin:/sbin:" + Environment.GetEnvironmentVariable("PATH");
        var process = ServerProcess.Start(kind, start, Path.Combine(folder, "proxy.log"), Grace);
        var proxy = new FrontProxy(process, folder, port);
        try
        {
            using var client = new HttpClient();
            await process.WaitUntilReadyAsync(() => AnswersAsync(client, new Uri(proxy.Address, "/v2/")), StartTimeout);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<bool> AnswersAsync(HttpClient client, Uri address)
    {
        try
        {
            using var answer = await client.GetAsync(address);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }

    private static string Nginx(string folder, int port, Uri registry, bool isStreaming) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        daemon off;
        user root;
        worker_processes 1;
        pid {{folder}}/pid;
        error_log stderr warn;
        events { worker_connections 64; }
        http {
          access_log off;
          client_body_temp_path {{folder}}/body;
          proxy_temp_path {{folder}}/proxy;
          fastcgi_temp_path {{folder}}/fastcgi;
          uwsgi_temp_path {{folder}}/uwsgi;
          scgi_temp_path {{folder}}/scgi;
          server {
            listen 127.0.0.1:{{port}};
            client_max_body_size {{LargestBody}};
            proxy_http_version 1.1;
            proxy_request_buffering {{(isStreaming ? "off" : "on")}};
            location / { proxy_pass {{registry.GetLeftPart(UriPartial.Authority)}}; }
          }
        }
        """);

    private static string HaProxy(int port, Uri registry) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""
        defaults
          mode http
          timeout connect 10s
          timeout client 60s
          timeout server 60s
        frontend in
          bind 127.0.0.1:{{port}}
          http-request deny deny_status 413 if { req.hdr_val(content-length) gt {{LargestBody}} }
          default_backend registry
        backend registry
          server one {{registry.Authority}}

        """);
}
