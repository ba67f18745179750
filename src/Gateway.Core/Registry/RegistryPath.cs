namespace Gateway.Core.Registry;

/// <summary>A path cut at its route's keywords, its parts not yet judged.</summary>
internal readonly ref struct RegistryPath
{
    private RegistryPath(RegistryRoute route, ReadOnlySpan<char> name = default, ReadOnlySpan<char> item = default)
    {
        Route = route;
        Name = name;
        Item = item;
    }

    public RegistryRoute Route { get; }

    /// <summary>What is where a repository's name belongs.</summary>
    public ReadOnlySpan<char> Name { get; }

    /// <summary>What is where the reference, digest or upload id belongs.</summary>
    public ReadOnlySpan<char> Item { get; }

    /// <summary>Cuts a path as sent, percent-encoding and all.</summary>
    /// <remarks>
    /// Names may contain the keywords (<c>x/manifests</c> and <c>a/blobs/uploads</c> are legal repositories), so the
    /// keyword nearest the end decides: that is the only reading which the registry's own routes allow too. Nothing is
    /// decoded, cleaned or folded here: <c>/V2/</c>, <c>//v2/</c> and <c>%76%32</c> are not the API, and an encoded
    /// slash stays inside its segment, where no grammar accepts it.
    /// </remarks>
    public static RegistryPath Split(ReadOnlySpan<char> path)
    {
        switch (path)
        {
            case "/v2/" or "/v2": // the registry redirects the second; a redirect is never our answer
                return new RegistryPath(RegistryRoute.Base);
            case "/v2/_catalog":
                return new RegistryPath(RegistryRoute.Catalog);
        }

        if (!path.StartsWith("/v2/", StringComparison.Ordinal))
        {
            return default;
        }

        var name = path["/v2/".Length..];
        var item = CutLastSegment(ref name);
        var route = CutLastSegment(ref name) switch
        {
            "tags" when item is "list" => RegistryRoute.Tags,
            "manifests" => RegistryRoute.Manifest,
            "referrers" => RegistryRoute.Referrers,
            "blobs" when item is not "uploads" => RegistryRoute.Blob, // an upload start that lacks its slash
            "uploads" when CutLastSegment(ref name) is "blobs" =>
                item.IsEmpty ? RegistryRoute.UploadStart : RegistryRoute.Upload,
            _ => RegistryRoute.None,
        };
        return name.IsEmpty ? default : new RegistryPath(route, name, item);
    }

    private static ReadOnlySpan<char> CutLastSegment(scoped ref ReadOnlySpan<char> path)
    {
        var slash = path.LastIndexOf('/');
        var segment = path[(slash + 1)..];
        path = slash < 0 ? default : path[..slash];
        return segment;
    }
}
