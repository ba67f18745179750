using Gateway.Client.Doctor.Client;

namespace Gateway.Client.Trust;

/// <summary>The machine whose clients are configured.</summary>
/// <param name="Files">Its files.</param>
/// <param name="IsPrivileged">Whether the command may write files that belong to root.</param>
internal sealed record TrustMachine(ClientMachine Files, bool IsPrivileged)
{
    /// <summary>Whether docker's engine is installed.</summary>
    public bool HasDocker => Files.Has("/etc/docker") || Files.HasProgram("dockerd");

    /// <summary>Whether podman, skopeo or buildah is.</summary>
    public bool HasPodman =>
        Files.Has("/etc/containers") || Files.HasProgram("podman") || Files.HasProgram("skopeo")
        || Files.HasProgram("buildah");

    /// <summary>Whether containerd is.</summary>
    public bool HasContainerd => Files.Has("/etc/containerd") || Files.HasProgram("containerd");

    /// <summary>Whether cri-o is.</summary>
    public bool HasCrio => Files.Has("/etc/crio") || Files.HasProgram("crio");

    /// <summary>
    /// The folder of the system's store and the command that reads it; <see langword="null"/>: the system is not known.
    /// </summary>
    public (string Folder, string Command)? SystemStore =>
        Files.Has("/etc/pki/trust/anchors") ? ("/etc/pki/trust/anchors", "update-ca-certificates") // SUSE
                                                                                                   // Red Hat
        : Files.Has("/etc/pki/ca-trust/source/anchors") ? ("/etc/pki/ca-trust/source/anchors", "update-ca-trust")
        // Arch
        : Files.Has("/etc/ca-certificates/trust-source/anchors")
        ? ("/etc/ca-certificates/trust-source/anchors", "update-ca-trust")
        : Files.Has("/usr/local/share/ca-certificates") || Files.HasProgram("update-ca-certificates")
            ? ("/usr/local/share/ca-certificates", "update-ca-certificates") // Debian, Alpine
        : null;
}
