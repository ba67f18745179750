using System.Runtime.Versioning;

// It reads /proc and runs Debian's servers.
[assembly: SupportedOSPlatform("linux")]
