using Gateway.Foundation.Configuration;

namespace Gateway.Server.Registry.Policies;

/// <summary>Something that a policy file declares, and where.</summary>
internal sealed record Declared<T>(T Value, SourcePosition At)
{
    /// <summary><c>file:line</c> inside the folder.</summary>
    public string Where => $"{Path.GetFileName(At.Origin)}:{At.Line}";
}
