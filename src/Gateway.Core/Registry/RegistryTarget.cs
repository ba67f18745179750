namespace Gateway.Core.Registry;

/// <summary>Writes a <see cref="RegistryRequest"/> back into a request target, from its parsed values alone.</summary>
public static class RegistryTarget
{
    /// <summary>The path and query, percent-encoded ASCII, for example <c>/v2/team/app/tags/list?n=10</c>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="repository">The repository's name at the receiver, where a prefix maps it; the request's own otherwise.</param>
    /// <param name="from">The mount source's name at the receiver, likewise.</param>
    /// <remarks>
    /// Every byte is one that neither <see cref="Uri"/> nor the registry rewrites, so what was decided is what is asked.
    /// </remarks>
    public static string Build(RegistryRequest request, RepositoryName? repository = null, RepositoryName? from = null) =>
        throw new NotSupportedException();
}
