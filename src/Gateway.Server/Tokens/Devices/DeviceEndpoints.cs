using System.Text.Json;
using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Tokens.Devices;

/// <summary>
/// <c>POST /device/code</c> and <c>POST /device/token</c>: the device's side (RFC 8628, sections 3.1 and 3.4). What a
/// device is given is a refresh token, as for a login with a password.
/// </summary>
internal sealed class DeviceEndpoints(
    DeviceSignIn devices, SignInGate gate, TokenService tokens, TokenOptions options, AuditAdmission audit)
{
    public const string CodePath = "/device/code", TokenPath = "/device/token";

    private const int LargestForm = 4096;

    /// <summary>Answers a request for one of the two.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        context.Response.OnStarting(
            static state =>
            {
                ((HttpResponse)state).Headers.CacheControl = "no-store";
                return Task.CompletedTask;
            },
            context.Response);
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            await context.WriteErrorAsync(
                RegistryError.MethodNotAllowed("a device must send its form with POST", "POST"));
            return;
        }

        if (!options.RefreshTokens)
        {
            await context.WriteErrorAsync(RegistryError.NotFound(
                "device sign-in is turned off here; the registry's operator can set tokens.refreshTokens"));
            return;
        }

        // A page elsewhere must not start or complete a device's sign-in in a person's browser.
        if (BrowserRequest.FindFault(context.Request, GatewayContext.Of(context).Host.Origin) is { } fault)
        {
            await context.WriteErrorAsync(RegistryError.Denied(fault));
            return;
        }

        if (!context.Request.HasFormContentType || context.Request.ContentLength is null or > LargestForm)
        {
            await context.WriteErrorAsync(RegistryError.InvalidRequest("send a form of at most 4 KiB"));
            return;
        }

        try
        {
            var form = await context.Request.ReadFormAsync(context.RequestAborted);
            await (context.Request.Path.Value == DeviceAuthorization.CodePath
                ? BeginAsync(context)
                : PollAsync(context, form));
        }
        catch (InvalidDataException)
        {
            await context.WriteErrorAsync(
                RegistryError.InvalidRequest("the form has too many fields, or too long ones"));
        }
        catch (AccessTokenException exception)
        {
            await context.WriteErrorAsync(RegistryError.InvalidRequest(exception.Message));
        }
        catch (StateException)
        {
            context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
            await context.WriteErrorAsync(AuthenticationMiddleware.NotPossibleNow);
        }
    }

    private Task BeginAsync(HttpContext context)
    {
        var host = GatewayContext.Of(context).Host;
        var (text, code) = devices.Begin(host.Authority);
        var page = host.Origin + PortalPaths.Device;
        return WriteAsync(context, StatusCodes.Status200OK, json =>
        {
            json.WriteString("device_code", text);
            json.WriteString("user_code", code.UserCode);
            json.WriteString("verification_uri", page);
            json.WriteString("verification_uri_complete", $"{page}?user_code={code.UserCode}");
            json.WriteNumber("expires_in", (long)DeviceAuthorization.Lifetime.TotalSeconds);
            json.WriteNumber("interval", (long)DeviceAuthorization.Interval.TotalSeconds);
        });
    }

    private async Task PollAsync(HttpContext context, IFormCollection form)
    {
        var gateway = GatewayContext.Of(context);
        if (form["grant_type"] != "urn:ietf:params:oauth:grant-type:device_code"
            || form["device_code"] is not [{ Length: > 0 } code])
        {
            await context.WriteErrorAsync(RegistryError.InvalidRequest(
                "send grant_type=urn:ietf:params:oauth:grant-type:device_code and device_code"));
            return;
        }

        // First: an approval is good once, and must not be used up for an answer that cannot be given.
        if (!await audit.TryAdmitAsync(context))
        {
            return;
        }

        var result = await gate.JudgeAsync(
            gateway,
            PresentedCredentials.Read("Bearer " + code),
            (devices, gateway.Host.Authority),
            static (credentials, state, cancellationToken) =>
                state.devices.RedeemAsync(credentials.Token, state.Authority, cancellationToken),
            context.RequestAborted);
        switch (result)
        {
            case AuthenticationResult.Accepted(var principal):
                gateway.Principal = principal;
                var answer = await tokens.AnswerAsync(
                    new TokenRequest(default, AccessScope.Empty, Offline: true), principal, gateway.Host,
                    gateway.ClientAddress,
                    context.RequestAborted);
                var body = answer.Serialize();
                context.Response.ContentType = "application/json";
                context.Response.ContentLength = body.Length;
                await context.Response.Body.WriteAsync(body, context.RequestAborted);
                break;
            case AuthenticationResult.Refused refused:
                await context.WriteErrorAsync(RegistryError.BadRequest(refused.Message ?? "the device is not "
                    + "authorized") with
                {
                    OAuthCode = refused.Reason is "authorization_pending" or "slow_down" or "expired_token"
                        ? refused.Reason
                        : "invalid_grant",
                });
                break;
            case AuthenticationResult.Throttled throttled:
                await AuthenticationMiddleware.WriteThrottledAsync(context, throttled);
                break;
            default:
                context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
                await context.WriteErrorAsync(AuthenticationMiddleware.NotPossibleNow);
                break;
        }
    }

    private static async Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = buffer.Length;
        await context.Response.Body.WriteAsync(
            buffer.GetBuffer().AsMemory(0, (int)buffer.Length), context.RequestAborted);
    }
}
