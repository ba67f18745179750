using System.Text;

namespace Gateway.Server.Requests.Routing;

/// <summary>Makes the gateway's own <c>Authorization</c> header for an upstream.</summary>
internal static class UpstreamCredential
{
    /// <summary>The header's value, or <see langword="null"/> where no credential is configured.</summary>
    public static string? Header(UpstreamCredentialOptions? options) => options switch
    {
        { Token: { Length: > 0 } token } => "Bearer " + token,
        { Username: { } name } =>
            "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(name + ":" + options.Password)),
        _ => null,
    };
}
