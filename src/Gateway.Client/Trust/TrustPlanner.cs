using System.Security.Cryptography.X509Certificates;
using Gateway.Foundation.Certificates;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Trust;
using Tomlyn.Model;

namespace Gateway.Client.Trust;

/// <summary>Works out what a machine needs, and what it has already.</summary>
/// <param name="machine">The machine.</param>
/// <param name="name">The registry.</param>
/// <param name="authority">Its authority.</param>
internal sealed class TrustPlanner(TrustMachine machine, RegistryName name, PrivateAuthority authority)
{
    private readonly List<TrustStep> _steps = [];
    private readonly List<TrustPart> _byHand = [];
    private readonly List<TrustPart> _notes = [];
    private string? _command;

    /// <summary>Creates the plan.</summary>
    /// <param name="selection">The requested clients.</param>
    /// <exception cref="ProblemException">There is no client to configure.</exception>
    public TrustPlan Plan(TrustSelection selection)
    {
        if (selection.Wants(TrustClient.Docker, machine.HasDocker))
        {
            ForRoot(
                "docker", TrustClient.Docker,
                () => AddAuthority("docker", $"/etc/docker/certs.d/{name.Text}/ca.crt", authority.Pem));
        }

        if (selection.Wants(TrustClient.Podman, machine.HasPodman))
        {
            var folder = machine.IsPrivileged ? "/etc/containers" : $"{machine.Files.Home}/.config/containers";
            AddAuthority("podman, skopeo, buildah", $"{folder}/certs.d/{name.Text}/ca.crt", authority.Pem);
        }

        if (machine.HasCrio && selection.Wants(TrustClient.Kubernetes, isInstalled: true))
        {
            ForRoot(
                "cri-o", TrustClient.Kubernetes,
                () => AddAuthority("cri-o", $"/etc/containers/certs.d/{name.Text}/ca.crt", authority.Pem));
        }

        // A node that has neither is assumed to use containerd.
        var isNode = selection.Named.Contains(TrustClient.Kubernetes) && (machine.HasContainerd || !machine.HasCrio);
        if (isNode || selection.Wants(TrustClient.Containerd, machine.HasContainerd))
        {
            ForRoot(
                "containerd", TrustClient.Containerd,
                () => AddContainerd(isNode || selection.Named.Contains(TrustClient.Containerd)));
        }

        if (selection.Wants(TrustClient.System, isInstalled: true))
        {
            ForRoot("the system's store", TrustClient.System, AddSystem);
        }

        if (_steps.Count == 0 && _byHand.Count == 0)
        {
            throw new ProblemException(new Problem(
                "--install", "no client is installed on this machine", "neither docker, podman, containerd nor cri-o",
                "Name one with --client docker, podman or containerd, or give --client system for the whole machine."));
        }

        return new TrustPlan(_steps, _command, _byHand, _notes);
    }

    private void ForRoot(string client, TrustClient which, Action add)
    {
        if (machine.IsPrivileged)
        {
            add();
        }
        else
        {
            _byHand.Add(new TrustPart(
                $"{client}: its files belong to root. Run again as root:",
                $"sudo gateway trust --ca {ShellWord.Of(authority.File)} --host {ShellWord.Of(name.Text)} --client "
                    + $"{which.ToString().ToLowerInvariant()} --install\n"));
        }
    }

    private void AddAuthority(string client, string path, string pem)
    {
        if (_steps.Exists(step => step.Path == path))
        {
            return; // podman and cri-o share the file
        }

        // A file that cannot be read is reported as not being a certificate.
        var isThere = machine.Files.Has(path);
        var there = new X509Certificate2Collection();
        _ = isThere && TrustRoots.TryRead(machine.Files.At(path), out there, out _);

        var wanted = new X509Certificate2Collection();
        wanted.ImportFromPem(pem);
        var holds = wanted.All(
            one => there.Any(other => other.RawDataMemory.Span.SequenceEqual(one.RawDataMemory.Span)));
        _steps.Add(
            !isThere ? new TrustStep(client, path, pem, TrustAction.Write, null)
            : holds ? new TrustStep(client, path, pem, TrustAction.Keep, "has it already")
            : new TrustStep(client, path, pem, TrustAction.Replace, there.Count == 0
                ? "the existing file is not a certificate"
                : $"it has another authority: {there[0].Subject}, SHA-256 {PrivateAuthority.FingerprintOf(there[0])}"));
    }

    private void AddContainerd(bool isNamed)
    {
        var configuration = ContainerdConfiguration.Read(machine.Files);
        var root = configuration.Folders.Count == 0 || configuration.Folders.Contains(ContainerdFiles.Folder)
            ? ContainerdFiles.Folder
            : configuration.Folders[0];
        var (file, hosts) = ($"{root}/{name.Text}/ca.crt", $"{root}/{name.Text}/hosts.toml");
        AddAuthority("containerd", file, authority.Pem);
        AddHosts(hosts, file);
        if (configuration.Folders.Count > 0)
        {
            return;
        }

        if (configuration.IsCriOff)
        {
            _notes.Add(new TrustPart("containerd: its Kubernetes plugin is off (disabled_plugins), so config_path is "
                + $"not needed. Run ctr with --hosts-dir {ContainerdFiles.Folder}."));
            return;
        }

        var what = configuration.Fault is { } fault
            ? $"containerd: {ContainerdFiles.Configuration} cannot be read (found \"{fault}\"). Fix it; it must name "
                + "the folder:"
            : $"containerd: {ContainerdFiles.Configuration} does not name the folder (config_path), so Kubernetes does "
                + "not use it. Add this, then run systemctl restart containerd.";
        var old = configuration.HasOldSettings
            ? " It has mirrors or configs in that table, and containerd does not start with both: move them into "
                + "hosts.toml files first."
            : "";
        (isNamed ? _byHand : _notes).Add(new TrustPart(what + old, configuration.Lines));
    }

    private void AddHosts(string path, string file)
    {
        var content = ContainerdFiles.Hosts(name, file);
        if (!machine.Files.Has(path))
        {
            _steps.Add(new TrustStep("containerd", path, content, TrustAction.Write, null));
            return;
        }

        var table = machine.Files.ReadToml(path, out var fault);
        if (table is not null && Names(table, file))
        {
            _steps.Add(new TrustStep("containerd", path, content, TrustAction.Keep, "names it already"));
            return;
        }

        var what = fault is null ? "has other content" : $"cannot be read (found \"{fault}\")";
        _byHand.Add(new TrustPart(
            $"containerd: {path} {what}, so it was not changed. Add this to it; if it has the table already, add only "
                + "the line with ca:",
            ContainerdFiles.HostLines(name, file)));
    }

    // The table of the registry itself, or the top level for the server.
    private bool Names(TomlTable hosts, string file)
    {
        if (hosts.TryGetValue("host", out var named) && named is TomlTable all
            && all.TryGetValue(name.Url, out var own))
        {
            return own is TomlTable table && HasAuthority(table, file);
        }

        return (!hosts.TryGetValue("server", out var server) || (server is string url && url.TrimEnd('/') == name.Url))
            && HasAuthority(hosts, file);
    }

    private static bool HasAuthority(TomlTable table, string file) => table.TryGetValue("ca", out var ca)
        && (ca is TomlArray list ? list.OfType<string>() : ca is string one ? [one] : []).Any(
            one => one == file || one == "ca.crt" || one == "./ca.crt");

    private void AddSystem()
    {
        if (machine.SystemStore is not var (folder, command))
        {
            throw new ProblemException(new Problem(
                "--client system", "the trust store of this system is not known",
                "neither update-ca-certificates nor update-ca-trust",
                "Install the package ca-certificates, or put the file where this system's manual says."));
        }

        // One certificate in each file: update-ca-certificates ignores the rest.
        for (var i = 0; i < authority.Certificates.Count; i++)
        {
            var suffix = i == 0 ? "" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"-{i + 1}");
            AddAuthority(
                "the whole machine, for every host", $"{folder}/{name.Slug}{suffix}.crt",
                PrivateAuthority.PemOf(authority.Certificates[i]));
        }

        _command = command;
    }
}
