namespace Gateway.Foundation.Trust;

/// <summary>Who can be told to trust an authority.</summary>
internal enum TrustClient
{
    /// <summary>docker, its engine.</summary>
    Docker,

    /// <summary>podman, skopeo and buildah.</summary>
    Podman,

    /// <summary>containerd.</summary>
    Containerd,

    /// <summary>The nodes of a Kubernetes cluster: containerd or cri-o.</summary>
    Kubernetes,

    /// <summary>The machine's own store, and with it most other programs.</summary>
    System,
}
