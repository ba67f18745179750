namespace Gateway.Foundation.Trust;

/// <summary>A client that can be configured to trust an authority.</summary>
internal enum TrustClient
{
    /// <summary>docker's engine.</summary>
    Docker,

    /// <summary>podman, skopeo and buildah.</summary>
    Podman,

    /// <summary>containerd.</summary>
    Containerd,

    /// <summary>The nodes of a Kubernetes cluster: containerd or cri-o.</summary>
    Kubernetes,

    /// <summary>The machine's own trust store, which most other programs use.</summary>
    System,
}
