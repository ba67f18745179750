namespace Gateway.Core.Registry;

/// <summary>Reads a method and a raw request target into the one <see cref="RegistryRequest"/> they can mean.</summary>
public static class RegistryRequestParser
{
    /// <summary>Parses what stands in the request line, before any framework has decoded or collapsed it.</summary>
    /// <param name="method">The method, byte for byte: case matters.</param>
    /// <param name="rawTarget">The request target as sent: origin form, percent-encoded, with its query.</param>
    /// <returns>The request, or the error that refuses it; it never throws.</returns>
    public static RegistryParseResult Parse(string method, string rawTarget) =>
        new(RegistryError.NotFound("not implemented yet"));
}
