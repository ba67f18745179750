namespace Gateway.Core.Registry;

/// <summary>
/// The methods the distribution API uses. Any other method never becomes a <see cref="RegistryRequest"/>.
/// </summary>
public enum RegistryMethod
{
    /// <summary>GET.</summary>
    Get,

    /// <summary>HEAD.</summary>
    Head,

    /// <summary>POST: starts an upload.</summary>
    Post,

    /// <summary>PATCH: adds to an upload.</summary>
    Patch,

    /// <summary>PUT: a manifest, or the end of an upload.</summary>
    Put,

    /// <summary>DELETE.</summary>
    Delete,
}
