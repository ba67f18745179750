using Gateway.Core.Authorization;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>A person who is signed in to the API with their password.</summary>
/// <param name="Context">Their request.</param>
/// <param name="Subject">Who they are.</param>
/// <param name="IsAdministrator">Whether <c>tokens.administrators</c> names them.</param>
internal sealed record TokenApiCaller(HttpContext Context, Subject Subject, bool IsAdministrator)
{
    /// <summary>Whether they own something.</summary>
    public bool Is(Subject owner) => owner.Kind == Subject.Kind && owner.Name == Subject.Name;
}
