namespace Gateway.EndToEndTests.Support;

/// <summary>containerd and <c>ctr</c> of Debian's newest suite.</summary>
public sealed class LaterContainerdEngine()
    : ContainerdEngine(Path.Combine(TestPaths.Later("sid", "root"), "usr", "bin"))
{
    // Pulls are the daemon's work from 2.0 on, and it unpacks only for snapshotters that it is told of.
    /// <inheritdoc/>
    protected override string MoreConfiguration => """
        [[plugins."io.containerd.transfer.v1.local".unpack_config]]
        platform = "linux/amd64"
        snapshotter = "native"
        """;

    /// <summary>Major and minor version.</summary>
    internal string Version { get; } = ClientProgram.Later("sid", "ctr", "containerd").Version;
}
