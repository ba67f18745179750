using Gateway.Foundation.Configuration;

namespace Gateway.Foundation.Trust;

/// <summary>How each client is told to trust a registry's authority: for the terminal and for the page alike.</summary>
internal static class TrustGuide
{
    /// <summary>The sections of all clients.</summary>
    /// <param name="name">The registry.</param>
    /// <param name="file">Where the reader has the authority's file.</param>
    /// <param name="pem">Its content.</param>
    public static IReadOnlyList<TrustSection> Write(RegistryName name, string file, string pem) =>
    [
        Docker(name, ShellWord.Of(file)),
        Podman(name, ShellWord.Of(file)),
        Containerd(name, ShellWord.Of(file)),
        Kubernetes(name, pem),
        TheSystem(name, ShellWord.Of(file)),
    ];

    private static string Install(string file, string target) => $"install -D -m 0644 {file} {ShellWord.Of(target)}\n";

    private static TrustSection Docker(RegistryName name, string file) => new(TrustClient.Docker, "docker",
    [
        new("On the machine of the engine, as root. It is read at each connection: no restart.", Install(file, $"/etc/docker/certs.d/{name.Text}/ca.crt")),
        new("With containerd's image store (docker info names io.containerd.snapshotter.v1) docker login succeeds so, but push and pull end with x509: token requests go by the system's store alone. Tell that as well, as shown for the system below, then restart docker."),
        new("Rootless docker, as its user:", Install(file, $"~/.config/docker/certs.d/{name.Text}/ca.crt")),
        new(
            "Docker Desktop on macOS: into the System keychain. Then restart Docker Desktop.",
            $"sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {file}\n"),
        new(
            "Docker Desktop on Windows, in a terminal of an administrator. Then restart Docker Desktop.",
            $"certutil -addstore -f ROOT {file}\n"),
        new(name.HasPort
            ? $"Docker Desktop on macOS also takes ~/.docker/certs.d/{name.Text}/ca.crt, after a restart. Windows has no folder of that name, since it allows no colon: use certutil."
            : $"Or, with either, for docker alone: the file as ~/.docker/certs.d/{name.Text}/ca.crt, then restart Docker Desktop."),
    ]);

    private static TrustSection Podman(RegistryName name, string file)
    {
        var folder = $"/etc/containers/certs.d/{name.Text}";
        return new(TrustClient.Podman, "podman, skopeo, buildah",
        [
            new("For everybody on this machine, as root. No restart.", Install(file, $"{folder}/ca.crt")),
            new("For yourself, without root:", Install(file, $"~/.config/containers/certs.d/{name.Text}/ca.crt")),
            new(
                "podman on macOS and Windows runs in a machine of its own:",
                $"podman machine ssh \"sudo mkdir -p {folder} && sudo tee {folder}/ca.crt >/dev/null\" < {file}\n"),
        ]);
    }

    private static TrustSection Containerd(RegistryName name, string file)
    {
        var folder = $"{ContainerdFiles.Folder}/{name.Text}";
        return new(TrustClient.Containerd, "containerd",
        [
            new("As root:", Install(file, $"{folder}/ca.crt")),
            new($"{folder}/hosts.toml, which is read at each pull:", ContainerdFiles.Hosts(name, $"{folder}/ca.crt")),
            new(
                $"What Kubernetes pulls also needs config_path in {ContainerdFiles.Configuration}. Where it is missing, add it and restart containerd (systemctl restart containerd). Version 2 of the file (containerd 1.x):",
                ContainerdFiles.Version2),
            new("Version 3 (containerd 2.x):", ContainerdFiles.Version3),
            new("nerdctl finds the folder by itself; ctr is given it with each command: --hosts-dir " + ContainerdFiles.Folder),
        ]);
    }

    private static TrustSection Kubernetes(RegistryName name, string pem) => new(TrustClient.Kubernetes, "Kubernetes nodes",
    [
        new($"Every node that pulls. Where nodes are made from an image or by a script, put there what stands above: containerd's files, or for cri-o /etc/containers/certs.d/{name.Text}/ca.crt, as for podman."),
        new(
            $"Or this, which writes the files on each node, new ones too: kubectl apply -f trust.yaml. After a change of the certificate: kubectl -n kube-system rollout restart daemonset {KubernetesManifest.LabelOf(name)}. It does not touch containerd's config.toml; its log says where config_path is missing. The two images must be there for the nodes to pull.",
            KubernetesManifest.Write(name, pem)),
        new("k3s and RKE2 have another file: registries.yaml in /etc/rancher/k3s or /etc/rancher/rke2, with configs: and tls: ca_file:."),
    ]);

    private static TrustSection TheSystem(RegistryName name, string file) => new(TrustClient.System, "the whole machine",
    [
        new("Most other programs (curl, oras, crane, git, browsers on some systems) go by it. They trust this authority for every host then, not for this registry alone. Programs that run already, dockerd among them, have to be restarted. As root, on Debian and Ubuntu, and on Alpine (apk add ca-certificates):",
            Install(file, $"/usr/local/share/ca-certificates/{name.Slug}.crt") + "update-ca-certificates\n"),
        new("Red Hat, Fedora and their kin:", Install(file, $"/etc/pki/ca-trust/source/anchors/{name.Slug}.crt") + "update-ca-trust\n"),
        new("SUSE:", Install(file, $"/etc/pki/trust/anchors/{name.Slug}.crt") + "update-ca-certificates\n"),
        new("macOS:", $"sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {file}\n"),
        new("Windows, in a terminal of an administrator:", $"certutil -addstore -f ROOT {file}\n"),
    ]);
}
