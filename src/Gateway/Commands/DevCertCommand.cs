using System.CommandLine;
using System.Net;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Tls;

namespace Gateway.Commands;

/// <summary>
/// <c>gateway dev-cert --out DIR</c>: creates a local certificate authority and a server certificate.
/// </summary>
internal static class DevCertCommand
{
    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--out", "-o")
        {
            Description = "The folder for ca.crt, ca.key, tls.crt and tls.key; it is created if it does not exist.",
            Required = true,
        };
        var names = new Option<string[]>("--name")
        {
            Description = "A host name for the certificate; may be given several times.",
            DefaultValueFactory = static _ => DefaultNames(),
        };
        names.Validators.Add(static result =>
        {
            foreach (var token in result.Tokens.Where(static token => !IsHostName(token.Value)))
            {
                result.AddError(
                    $"--name \"{token.Value}\" is not a host name. Write names as registry.example.com or "
                        + "*.example.com, without scheme or port, and give addresses with --ip.");
            }
        });
        var addresses = new Option<string[]>("--ip")
        {
            Description = "An IP address for the certificate; may be given several times.",
            DefaultValueFactory = static _ => ["127.0.0.1", "::1"],
        };
        addresses.Validators.Add(static result =>
        {
            foreach (var token in result.Tokens.Where(static token => !IPAddress.TryParse(token.Value, out _)))
            {
                result.AddError($"--ip \"{token.Value}\" is not an IP address. Give names with --name.");
            }
        });
        var force = new Option<bool>("--force")
        {
            Description = "Replaces the server certificate, and an unusable authority.",
        };
        var command = new Command(
            "dev-cert", "Creates a local certificate authority and a server certificate for testing.")
        {
            folder, names, addresses, force,
        };
        command.SetAction(result => Run(
            result.GetRequiredValue(folder).FullName,
            result.GetRequiredValue(names),
            [.. result.GetRequiredValue(addresses).Select(IPAddress.Parse)],
            result.GetValue(force),
            result.InvocationConfiguration.Output,
            result.InvocationConfiguration.Error));
        return command;
    }

    private static int Run(
        string folder, string[] names, IPAddress[] addresses, bool force, TextWriter output, TextWriter error)
    {
        try
        {
            var (written, kept) = new DevelopmentCertificates(folder, TimeProvider.System).Make(
                names, addresses, force);
            output.WriteLine(string.Join(Environment.NewLine, [
                .. written.Select(static file => "created " + file),
                .. kept.Select(static file => "kept " + file),
            ]));
            output.WriteLine(Hints(folder, names.Length > 0 ? names[0] : addresses[0].ToString()));
            return 0;
        }
        catch (ProblemException exception)
        {
            error.WriteLine(exception.Message);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"{folder}: the certificates cannot be written: {exception.Message}");
        }

        return 1;
    }

    private static string Hints(string folder, string host)
    {
        var ca = Path.Combine(folder, "ca.crt");
        var crt = Path.Combine(folder, "tls.crt");
        var key = Path.Combine(folder, "tls.key");
        var docker = $"/etc/docker/certs.d/{host}:8443";
        var (file, inDocker) = (ShellWord.Of(ca), ShellWord.Of(docker + "/ca.crt"));
        const string debian = "/usr/local/share/ca-certificates/registry-gateway.crt";
        return $$"""

            Serve it (gateway.yaml):
              tls: { certificates: [ { certificate: {{crt}}, key: {{key}} } ] }
            Trust it, where clients reach the gateway as {{host}}:8443 (put your port):
              docker                   mkdir -p {{ShellWord.Of(docker)}} && cp {{file}} {{inDocker}}
              podman, buildah, skopeo  the same, under /etc/containers/certs.d/{{host}}:8443/ca.crt
              containerd               ca = "{{ca}}" in /etc/containerd/certs.d/{{host}}:8443/hosts.toml
              curl                     --cacert {{file}}
              everything (Debian)      cp {{file}} {{debian}} && update-ca-certificates
            For development only: anyone who has ca.key can impersonate any host to those who trust ca.crt.
            """;
    }

    private static string[] DefaultNames()
    {
        var machine = Environment.MachineName.ToLowerInvariant();
        return IsHostName(machine) && machine != "localhost" ? ["localhost", machine] : ["localhost"];
    }

    // RFC 1123, section 2.1, with an optional leading wildcard label; ASCII only, as in certificates.
    private static bool IsHostName(string text)
    {
        var name = text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text;
        return name.Length is > 0 and <= 253
            && !IPAddress.TryParse(name, out _)
            && name.Split('.').All(static label => label.Length is > 0 and <= 63
                && label[0] != '-' && label[^1] != '-'
                && label.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-'));
    }
}
