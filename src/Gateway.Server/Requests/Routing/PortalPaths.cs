namespace Gateway.Server.Requests.Routing;

/// <summary>The pages' addresses.</summary>
internal static class PortalPaths
{
    public const string SignIn = "/sign-in";
    public const string SignOut = "/sign-out";
    public const string Account = "/account";
    public const string Device = "/device";

    /// <summary>Whether a path is one of them, or below one.</summary>
    public static bool Include(PathString path) =>
        path.StartsWithSegments(SignIn, StringComparison.Ordinal)
        || path.StartsWithSegments(SignOut, StringComparison.Ordinal)
        || path.StartsWithSegments(Account, StringComparison.Ordinal)
        || path.StartsWithSegments(Device, StringComparison.Ordinal);
}
