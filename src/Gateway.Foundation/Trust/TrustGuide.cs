using Gateway.Foundation.Configuration;

namespace Gateway.Foundation.Trust;

/// <summary>How to make each client trust a registry's authority, for the terminal and the page.</summary>
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
        new("On the engine's machine, as root. docker reads the file at each connection, so no restart is needed.",
            Install(file, $"/etc/docker/certs.d/{name.Text}/ca.crt")),
        new("With containerd's image store (docker info names io.containerd.snapshotter.v1) docker login then "
            + "succeeds, but push and pull fail with an x509 error: token requests use only the system's store. Add "
            + "the authority there as well, as shown for the whole machine below, then restart docker."),
        new("Rootless docker, as its user:", Install(file, $"~/.config/docker/certs.d/{name.Text}/ca.crt")),
        new(
            "Docker Desktop on macOS: add it to the System keychain, then restart Docker Desktop:",
            $"sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {file}\n"),
        new(
            "Docker Desktop on Windows, in an administrator's terminal; then restart Docker Desktop:",
            $"certutil -addstore -f ROOT {file}\n"),
        new(name.HasPort
            ? $"Docker Desktop on macOS also reads ~/.docker/certs.d/{name.Text}/ca.crt, after a restart. Windows does "
                + "not allow a colon in the name of a folder, so use certutil there."
            : $"Or, on both, for docker only: put the file at ~/.docker/certs.d/{name.Text}/ca.crt, then restart "
                + "Docker Desktop."),
    ]);

    private static TrustSection Podman(RegistryName name, string file)
    {
        var folder = $"/etc/containers/certs.d/{name.Text}";
        return new(TrustClient.Podman, "podman, skopeo, buildah",
        [
            new("For everyone on this machine, as root; no restart is needed:", Install(file, $"{folder}/ca.crt")),
            new("For yourself, without root:", Install(file, $"~/.config/containers/certs.d/{name.Text}/ca.crt")),
            new(
                "podman on macOS and Windows runs in a virtual machine:",
                $"podman machine ssh \"sudo mkdir -p {folder} && sudo tee {folder}/ca.crt >/dev/null\" < {file}\n"),
        ]);
    }

    private static TrustSection Containerd(RegistryName name, string file)
    {
        var folder = $"{ContainerdFiles.Folder}/{name.Text}";
        return new(TrustClient.Containerd, "containerd",
        [
            new("As root:", Install(file, $"{folder}/ca.crt")),
            new($"{folder}/hosts.toml, which containerd reads at each pull:",
                ContainerdFiles.Hosts(name, $"{folder}/ca.crt")),
            new(
                $"Kubernetes also needs config_path in {ContainerdFiles.Configuration}. If it is missing, add it and "
                    + "restart containerd (systemctl restart containerd). Version 2 of the file (containerd 1.x):",
                ContainerdFiles.Version2),
            new("Version 3 (containerd 2.x):", ContainerdFiles.Version3),
            new("nerdctl finds the folder automatically; ctr needs it with each command: "
                + "--hosts-dir " + ContainerdFiles.Folder),
        ]);
    }

    private static TrustSection Kubernetes(RegistryName name, string pem) =>
        new(TrustClient.Kubernetes, "Kubernetes nodes",
    [
        new("Every node that pulls needs it. If nodes are created from an image or by a script, put the files shown "
            + $"above there: containerd's files, or for cri-o /etc/containers/certs.d/{name.Text}/ca.crt, as "
            + "for podman."),
        new(
            "Or use this manifest, which writes the files on each node, including new ones: kubectl apply -f "
                + "trust.yaml. After a change of the certificate, run kubectl -n kube-system rollout restart "
                + $"daemonset {KubernetesManifest.LabelOf(name)}. It does not change containerd's config.toml; its log "
                + "shows where config_path is missing. The nodes must be able to pull its two images.",
            KubernetesManifest.Write(name, pem)),
        new("k3s and RKE2 use another file: registries.yaml in /etc/rancher/k3s or /etc/rancher/rke2, with configs: "
            + "and tls: ca_file:."),
    ]);

    private static TrustSection TheSystem(RegistryName name, string file) =>
        new(TrustClient.System, "the whole machine",
    [
        new("Most other programs (curl, oras, crane, git, browsers on some systems) use the system's store. They then "
            + "trust this authority for every host, not only for this registry. Restart programs that are already "
            + "running, including dockerd. As root, on Debian and Ubuntu, and on Alpine (apk add ca-certificates):",
            Install(file, $"/usr/local/share/ca-certificates/{name.Slug}.crt") + "update-ca-certificates\n"),
        new("Red Hat, Fedora and similar systems:",
            Install(file, $"/etc/pki/ca-trust/source/anchors/{name.Slug}.crt") + "update-ca-trust\n"),
        new("SUSE:", Install(file, $"/etc/pki/trust/anchors/{name.Slug}.crt") + "update-ca-certificates\n"),
        new("macOS:", $"sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {file}\n"),
        new("Windows, in an administrator's terminal:", $"certutil -addstore -f ROOT {file}\n"),
    ]);
}
