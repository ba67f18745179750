using System.Net;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>What else the check of a request's credentials needs to know.</summary>
/// <param name="Audience">The host that was asked: <c>PublicHost.Authority</c>. Access tokens are for one host.</param>
/// <param name="ClientAddress">Where it came from.</param>
/// <param name="ContinueUntil">Until when an expired access token is good enough: see <c>UploadTicket</c>.</param>
internal readonly record struct CredentialContext(
    string Audience, IPAddress ClientAddress, DateTimeOffset? ContinueUntil = null);
