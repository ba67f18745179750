using Gateway.Core.Authorization;

namespace Gateway.Server.Tokens.Credentials;

/// <summary>A person who is signed in to the API with his password.</summary>
/// <param name="Context">His request.</param>
/// <param name="Subject">Who he is.</param>
/// <param name="IsAdministrator">Whether <c>tokens.administrators</c> picks him.</param>
internal sealed record TokenApiCaller(HttpContext Context, Subject Subject, bool IsAdministrator)
{
    /// <summary>Whether he is the owner of something.</summary>
    public bool Is(Subject owner) => owner.Kind == Subject.Kind && owner.Name == Subject.Name;
}
