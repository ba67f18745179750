using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Pipeline;

namespace Gateway.Authentication;

/// <summary>Second step of a registry request: who asks? Anonymous callers pass; refused credentials do not.</summary>
internal sealed class AuthenticationMiddleware(RequestDelegate next, CredentialAuthenticator authenticator)
{
    // Long enough for a dead dependency's breaker to try again, short enough for a person to wait.
    private const string RetryAfterSeconds = "5";

    public async Task InvokeAsync(HttpContext context)
    {
        var gateway = GatewayContext.Of(context);
        var header = context.Request.Headers.Authorization;
        if (header.Count > 1)
        {
            // Which of two credentials counts is a guess that another component may make otherwise.
            await context.WriteErrorAsync(RegistryError.BadRequest("the Authorization header is repeated; send it once"));
            return;
        }

        switch (await authenticator.AuthenticateAsync(header, context.RequestAborted))
        {
            case AuthenticationResult.Accepted(var principal):
                gateway.Principal = principal;
                await next(context);
                break;
            case AuthenticationResult.Undecided:
                // Not a 401: clients would throw away a good stored password.
                context.Response.Headers.RetryAfter = RetryAfterSeconds;
                await context.WriteErrorAsync(RegistryError.Unavailable(
                    StatusCodes.Status503ServiceUnavailable, "sign-in is not possible at the moment; try again shortly"));
                break;
            default:
                gateway.Principal = Principal.Anonymous;
                Challenge.Set(context.Response, gateway.Host.Authority);
                await context.WriteErrorAsync(RegistryError.Unauthorized(
                    "authentication failed: the user name or password is wrong; run \"docker login\" again"));
                break;
        }
    }
}
