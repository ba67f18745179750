using System.Diagnostics.CodeAnalysis;

namespace Gateway.Core.Registry;

/// <summary>A parsed request, or why it is refused.</summary>
public readonly struct RegistryParseResult
{
    /// <summary>Success.</summary>
    public RegistryParseResult(RegistryRequest request) => Request = request;

    /// <summary>Refusal.</summary>
    public RegistryParseResult(RegistryError error) => Error = error;

    /// <summary>The request, where it could be understood.</summary>
    public RegistryRequest? Request { get; }

    /// <summary>Why not, otherwise.</summary>
    public RegistryError? Error { get; }

    /// <summary>Whether there is a request; otherwise there is an error.</summary>
    [MemberNotNullWhen(true, nameof(Request))]
    [MemberNotNullWhen(false, nameof(Error))]
    public bool IsRequest => Request is not null;
}
