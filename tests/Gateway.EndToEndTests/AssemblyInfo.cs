using System.Runtime.Versioning;

// Docker, podman, dockerd and the scripts: none of these tests has anything to run elsewhere.
[assembly: SupportedOSPlatform("linux")]
