using System.Globalization;
using System.Text;

namespace Gateway.Core.Registry;

/// <summary>Writes a <see cref="RegistryRequest"/> back into a request target, from its parsed values alone.</summary>
public static class RegistryTarget
{
    /// <summary>The path and query, percent-encoded ASCII, for example <c>/v2/team/app/tags/list?n=10</c>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="repository">
    /// The repository's name at the receiver, where a prefix maps it; the request's own otherwise.
    /// </param>
    /// <param name="from">The mount source's name at the receiver, likewise.</param>
    /// <remarks>
    /// Every byte is one that neither <see cref="Uri"/> nor the registry rewrites, so what was decided is what is
    /// asked; but for an upload's own query, which the upstream wrote and gets back as it was. The order of parameters
    /// is fixed: one request has one spelling. A ticket is never written: no upstream gets to see one.
    /// </remarks>
    public static string Build(RegistryRequest request, RepositoryName? repository = null, RepositoryName? from = null)
    {
        var name = (repository ?? request.Repository)?.Value;
        var path = request.Operation switch
        {
            RegistryOperation.Ping => "/v2/",
            RegistryOperation.ListCatalog => "/v2/_catalog",
            RegistryOperation.ListTags => string.Concat("/v2/", name, "/tags/list"),
            RegistryOperation.ListReferrers => string.Concat("/v2/", name, "/referrers/", request.Digest!.Value),
            RegistryOperation.ReadManifest or RegistryOperation.PutManifest or RegistryOperation.DeleteManifest =>
                string.Concat("/v2/", name, "/manifests/", request.Reference!.Value),
            RegistryOperation.ReadBlob or RegistryOperation.DeleteBlob =>
                string.Concat("/v2/", name, "/blobs/", request.Digest!.Value),
            RegistryOperation.StartUpload => string.Concat("/v2/", name, "/blobs/uploads/"),
            _ => string.Concat("/v2/", name, "/blobs/uploads/", request.Upload!.Value),
        };
        return request.Parameters == RegistryParameters.None ? path : WithQuery(path, request.Parameters, from);
    }

    private static string WithQuery(string path, RegistryParameters parameters, RepositoryName? from)
    {
        var target = new StringBuilder(path, capacity: path.Length + 128 + (parameters.UpstreamQuery?.Length ?? 0));
        target.Append(parameters.UpstreamQuery); // the upstream signs it, and it names nothing that is decided here
        foreach (var artifactType in parameters.ArtifactTypes)
        {
            Append(target, "artifactType", artifactType);
        }

        if (parameters is { Mount: not null, From: not null })
        {
            Append(target, "mount", parameters.Mount.Value);
            Append(target, "from", (from ?? parameters.From).Value);
        }

        Append(target, "digest", parameters.Digest?.Value);
        Append(target, "last", parameters.Last);
        Append(target, "n", parameters.PageSize?.ToString(CultureInfo.InvariantCulture));

        // A "?" for the first parameter, "&" for the others; all of them were written with "&".
        if (target.Length > path.Length)
        {
            target[path.Length] = '?';
        }

        return target.ToString();
    }

    private static void Append(StringBuilder target, string key, string? value)
    {
        if (value is not null)
        {
            target.Append('&').Append(key).Append('=');
            QueryEncoding.Append(target, value);
        }
    }
}
