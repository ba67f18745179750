namespace Gateway.Server.Requests.Routing;

/// <summary>The addresses of what anyone may read about the authority.</summary>
internal static class TrustPaths
{
    public const string Page = "/trust";
    public const string File = "/trust/ca.crt";

    /// <summary>Whether a path is one of them.</summary>
    public static bool Include(PathString path) => path.Value is Page or File;
}
