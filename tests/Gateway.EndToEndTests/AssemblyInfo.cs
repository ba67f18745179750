using System.Runtime.Versioning;

// Docker, podman, dockerd and the scripts: none of these tests has anything to run elsewhere.
[assembly: SupportedOSPlatform("linux")]

[assembly: TestCollectionOrderer("Gateway.EndToEndTests.Support.LongestFirst", "Gateway.EndToEndTests")]
