using System.Globalization;
using Gateway.Tests.Support;

namespace Gateway.Bench.Servers;

/// <summary>nginx with TLS in front of the registry, as one would run it in production.</summary>
internal sealed class NginxServer : IAsyncDisposable
{
    private readonly ServerProcess _process;

    private NginxServer(ServerProcess process, Uri address)
    {
        _process = process;
        Address = address;
    }

    /// <summary>Its base URL.</summary>
    public Uri Address { get; }

    /// <summary>The operating system's id of the process; its workers are its children.</summary>
    public int Id => _process.Id;

    /// <summary>Starts one.</summary>
    /// <param name="folder">The folder for its files; it is made.</param>
    /// <param name="upstream">The registry's base URL.</param>
    /// <param name="certificates">The folder of tls.crt and tls.key.</param>
    /// <param name="users">With this htpasswd file it asks for a password.</param>
    /// <param name="isBuffered">Whether it reads ahead from the registry, into buffers of 64 KiB.</param>
    public static async Task<NginxServer> StartAsync(
        string folder, Uri upstream, string certificates, string? users, bool isBuffered)
    {
        Directory.CreateDirectory(folder);
        var port = FreePort.Next();
        var buffers = isBuffered
            ? "proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k; proxy_max_temp_file_size 0;"
            : "proxy_buffering off;";
        var auth = users is null ? "" : $"auth_basic registry; auth_basic_user_file {users};";
        var user = Environment.UserName == "root" ? "user root;" : ""; // its workers read files of this folder
        var file = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(file, string.Create(CultureInfo.InvariantCulture, $$"""
            daemon off;
            {{user}}
            worker_processes 2;
            worker_rlimit_nofile 20000;
            pid {{folder}}/nginx.pid;
            error_log stderr warn;
            events { worker_connections 8192; }
            http {
                access_log {{folder}}/access.log combined buffer=64k flush=5s;
                client_body_temp_path {{folder}}/body;
                proxy_temp_path {{folder}}/proxy;
                fastcgi_temp_path {{folder}}/fastcgi;
                uwsgi_temp_path {{folder}}/uwsgi;
                scgi_temp_path {{folder}}/scgi;
                ssl_certificate {{certificates}}/tls.crt;
                ssl_certificate_key {{certificates}}/tls.key;
                ssl_protocols TLSv1.2 TLSv1.3;
                ssl_session_cache shared:TLS:10m;
                keepalive_requests 1000000;
                keepalive_timeout 10m;
                upstream registry {
                    server 127.0.0.1:{{upstream.Port}};
                    keepalive 64;
                    keepalive_requests 1000000;
                }
                server {
                    listen 127.0.0.1:{{port}} ssl backlog=4096;
                    client_max_body_size 0;
                    {{auth}}
                    location / {
                        proxy_pass http://registry;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_set_header Host $http_host;
                        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                        proxy_set_header X-Forwarded-Proto $scheme;
                        proxy_request_buffering off;
                        {{buffers}}
                    }
                }
            }

            """));
        var process = await ServerProcess.StartAsync(
            "nginx", folder, () => ServerProcess.ListensAsync(port), "nginx", "-p", folder, "-c", file);
        return new NginxServer(
            process, new Uri(string.Create(CultureInfo.InvariantCulture, $"https://localhost:{port}")));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
