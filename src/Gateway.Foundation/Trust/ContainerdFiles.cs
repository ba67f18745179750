namespace Gateway.Foundation.Trust;

/// <summary>The configuration of containerd for an authority.</summary>
internal static class ContainerdFiles
{
    /// <summary>The folder that its documentation names.</summary>
    public const string Folder = "/etc/containerd/certs.d";

    /// <summary>Its configuration.</summary>
    public const string Configuration = "/etc/containerd/config.toml";

    /// <summary>The lines of <c>config.toml</c> for configuration version 2: containerd 1.x.</summary>
    public const string Version2 =
        $"""
        [plugins."io.containerd.grpc.v1.cri".registry]
          config_path = "{Folder}"

        """;

    /// <summary>The lines for version 3: containerd 2.x.</summary>
    public const string Version3 =
        $"""
        [plugins."io.containerd.cri.v1.images".registry]
          config_path = "{Folder}"

        """;

    /// <summary>The lines for version 1, which names no version.</summary>
    public const string Version1 =
        $"""
        [plugins.cri.registry]
          config_path = "{Folder}"

        """;

    /// <summary>The content of <c>hosts.toml</c>.</summary>
    /// <param name="name">The registry.</param>
    /// <param name="authorityFile">The path of the authority's file.</param>
    public static string Hosts(RegistryName name, string authorityFile) =>
        $"""
        server = "{name.Url}"

        {HostLines(name, authorityFile)}
        """;

    /// <summary>The lines for the authority.</summary>
    public static string HostLines(RegistryName name, string authorityFile) =>
        $"""
        [host."{name.Url}"]
          capabilities = ["pull", "resolve", "push"]
          ca = "{authorityFile}"

        """;
}
