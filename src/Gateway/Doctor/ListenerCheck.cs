using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Gateway.Client.Doctor;
using Gateway.Server.Host.Hosting;

namespace Gateway.Doctor;

/// <summary>Whether the gateway runs, and whether its addresses are free or in use by it.</summary>
internal sealed class ListenerCheck : IServerCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public string Area => "NET";

    /// <inheritdoc/>
    public string Subject => "the listeners";

    /// <inheritdoc/>
    public async Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var listen = examined.Options.Listen;
        var health = listen.Management.Length == 0
            ? null
            : await AskAsync(ListenAddress.Parse(listen.Management), cancellationToken);
        if (health is { } state)
        {
            diagnosis.Pass(Area, listen.Management, "the gateway is running");
            Report(state, listen.Management, diagnosis);
            return;
        }

        // It does not run, or does not answer: then its addresses must be free.
        var taken = false;
        foreach (var (key, text) in new[]
        {
            ("listen.https", listen.Https),
            ("listen.http", listen.Http),
            ("listen.management", listen.Management),
        })
        {
            if (!string.IsNullOrEmpty(text) && FindFault(ListenAddress.Parse(text)) is { } error)
            {
                taken = true;
                if (error == SocketError.AccessDenied)
                {
                    diagnosis.Error(
                        "NET009", text, $"{key}: this user may not listen on this port",
                        "Use a port above 1023, or grant the capability CAP_NET_BIND_SERVICE");
                }
                else if (error == SocketError.AddressNotAvailable)
                {
                    diagnosis.Error("NET010", text, $"{key}: no interface of this machine has this address");
                }
                else if (listen.Management.Length == 0)
                {
                    diagnosis.NotRun(
                        Area, text, $"{key}: {error}; without listen.management the doctor cannot tell whether the "
                            + "gateway itself listens there");
                }
                else
                {
                    diagnosis.Error(
                        "NET001", text, $"{key}: {error}, and the gateway does not answer at {listen.Management}",
                        $"ss -ltnp 'sport = :{ListenAddress.Parse(text).Port}' shows which program listens there");
                }
            }
        }

        if (!taken)
        {
            diagnosis.Inform("NET002", listen.Https, "the gateway is not running; its addresses are free");
        }
    }

    /// <summary>
    /// What the gateway itself reports of its state; <see langword="null"/> where it does not answer.
    /// </summary>
    public static async Task<JsonElement?> AskAsync(ListenAddress address, CancellationToken cancellationToken)
    {
        var host = address.Address is null || address.Address.Equals(IPAddress.Any)
            || address.Address.Equals(IPAddress.IPv6Any) ? IPAddress.Loopback : address.Address;
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
        {
            Timeout = Timeout,
            MaxResponseContentBufferSize = 1 << 20,
        };
        try
        {
            using var answer = await client.GetAsync(
                new UriBuilder("http", host.ToString(), address.Port, "/readyz").Uri, cancellationToken);
            using var document = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
            return document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("registries", out _) && root.TryGetProperty("files", out _)
                ? root.Clone()
                : null;
        }
        catch (Exception exception)
            when (exception is HttpRequestException or JsonException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    private static void Report(JsonElement state, string subject, Diagnosis diagnosis)
    {
        foreach (var file in state.GetProperty("files").EnumerateObject())
        {
            if (file.Value.TryGetProperty("status", out var status) && status.GetString() != "ok"
                // RunningFilesCheck has reported it with the reason.
                && !diagnosis.Findings.Any(finding => finding.Id == "RUN001" && finding.Subject == file.Name))
            {
                diagnosis.Warn(
                    "RUN001", subject, $"{file.Name}: the running gateway refused the newest version and uses that of "
                        + $"{file.Value.GetProperty("loadedAt").GetString()}");
            }
        }

        var down = state.EnumerateObject()
            .Where(static part => part.Value.ValueKind == JsonValueKind.String && part.Value.GetString() == "down")
            .Select(static part => part.Name)
            .Concat(
                state.GetProperty("registries")
                    .EnumerateObject()
                    .Where(static part => part.Value.GetString() == "down")
                    .Select(static part => "registry " + part.Name))
            .ToList();
        if (down.Count > 0)
        {
            diagnosis.Warn("RUN002", subject, string.Join(", ", down));
        }
    }

    private static SocketError? FindFault(ListenAddress address)
    {
        if (address.Port == 0)
        {
            return null;
        }

        var any = address.Address ?? (Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any);
        using var socket = new Socket(any.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (any.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(new IPEndPoint(any, address.Port));
            socket.Listen(1);
            return null;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode;
        }
    }
}
