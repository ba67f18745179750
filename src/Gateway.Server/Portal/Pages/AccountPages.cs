using System.Globalization;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Foundation.Configuration;
using Gateway.Server.Portal.Trust;
using Gateway.Server.Records.Audit;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Credentials;
using Gateway.Server.Tokens.Devices;
using Gateway.Server.Tokens.Service;
using Microsoft.AspNetCore.Antiforgery;

namespace Gateway.Server.Portal.Pages;

/// <summary>
/// What a person who is signed in sees: how docker logs in, their tokens, and the devices that ask to be authorized.
/// </summary>
internal sealed class AccountPages(
    CredentialService credentials,
    SubjectStanding standing,
    Administrators administrators,
    DeviceSignIn devices,
    SignInPages signIn,
    TokenOptions options,
    TlsOptions tls,
    IAntiforgery antiforgery,
    AuditAdmission audit,
    TimeProvider time)
{
    private const int MostShown = 1000;

    private static readonly int[] Days = [7, 30, 90, 365];

    /// <summary>The person's own page.</summary>
    /// <param name="context">The request.</param>
    /// <param name="subject">Who.</param>
    /// <param name="note">What appears above everything else: a new token, or what went wrong.</param>
    /// <param name="status">The status.</param>
    public async Task ShowAsync(
        HttpContext context, Subject subject, Html? note = null, int status = StatusCodes.Status200OK)
    {
        var host = GatewayContext.Of(context).Host.Authority;
        var now = time.GetUtcNow();
        var csrf = Csrf(context);
        var isAdministrator = administrators.Include(subject);
        var all = (await credentials.ListAsync(isAdministrator ? null : subject, context.RequestAborted))
            .Where(one => one.Kind != CredentialKind.Device && one.StateAt(now) == TokenState.Active)
            .ToLookup(one => IsOf(subject, one));
        var rows = Html.Join(all[true].Select(one => RowOf(one, Html.Empty, csrf)));
        var others = !isAdministrator ? Html.Empty : Html.Of(
            $"""
            <h2>Everyone else's tokens and sessions</h2>
            <table id="others"><tr><th>Owner</th><th>Name</th><th>Kind</th><th>Expires</th><th>Last used</th><th></th></tr>
            {Html.Join(all[false].Take(MostShown).Select(one => RowOf(one, Html.Of($"<td>{one.Owner.ToString()}</td>"), csrf)))}</table>
            """);
        var lives = Html.Join(
            Days.Where(days => TimeSpan.FromDays(days) <= options.MaximumCredentialLifetime).DefaultIfEmpty(1)
            .Select(
                days => Html.Of(
                    $"""<option value="{days.ToString(CultureInfo.InvariantCulture)}">{days.ToString(CultureInfo.InvariantCulture)} days</option>""")));
        var groups = subject.Groups.Count > 0 ? $", in the groups {string.Join(", ", subject.Groups)}" : "";
        var body = Html.Of(
            $"""
            {note ?? Html.Empty}
            <p>You are signed in as <strong>{subject.Name}</strong>{groups}.</p>
            <h2>docker login</h2>
            <p>Create a token below, and use it as the password:</p>
            <pre id="login">docker login {host} -u {ShellWord.Of(subject.Name)}</pre>
            {TrustPage.LinkOf(tls)}
            <h2>New token</h2>
            <form method="post" action="{PortalPaths.Account}/tokens">{csrf}
            <label>Name <input name="name" required maxlength="64" placeholder="laptop"></label>
            <label>Lifetime <select name="days">{lives}</select></label>
            <button>Create token</button></form>
            <h2>Your tokens and sessions</h2>
            <table><tr><th>Name</th><th>Kind</th><th>Expires</th><th>Last used</th><th></th></tr>{rows}</table>
            {others}
            <h2>Sign out</h2>
            <form method="post" action="{PortalPaths.SignOut}">{csrf}<button>Sign out</button></form>
            """);
        await Page.WriteAsync(context, "Your account", body, status, signIn.SignOutOrigin(context, subject));
    }

    /// <summary>Creates a token and shows it, once.</summary>
    public async Task CreateAsync(HttpContext context, Subject subject, IFormCollection form)
    {
        if (!await audit.TryAdmitAsync(context))
        {
            return;
        }

        var gateway = GatewayContext.Of(context);
        var days = int.TryParse(form["days"], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= 36_500 ? number : 0;
        var order = new CredentialOrder
        {
            Owner = subject,
            Evidence = await standing.FindLastingEvidenceAsync(subject, context.RequestAborted),
            Name = form["name"].ToString().Trim(),
            Limit = null,
            Lifetime = TimeSpan.FromDays(days),
            CreatedBy = subject.ToString(),
            RequestId = gateway.RequestId,
        };
        var outcome = await credentials.CreateAsync(order, context.RequestAborted);
        if (outcome is CredentialOutcome.Issued issued)
        {
            gateway.Issued = issued.Credential.Kind;
            await ShowAsync(context, subject, Html.Of(
                $"""
                <div class="note"><p>This is your new token <strong>{issued.Credential.Name}</strong>. It is shown only once; copy it now.</p><pre id="token">{issued.Secret.Reveal()}</pre></div>
                """));
            return;
        }

        var problem = outcome is CredentialOutcome.Invalid invalid
            ? invalid.Problems[0]
            : ((CredentialOutcome.Conflict)outcome).Problem;
        await ShowAsync(context, subject, NoteOf(problem), StatusCodes.Status400BadRequest);
    }

    /// <summary>Revokes a token or session of the person's own; an administrator, anyone's.</summary>
    public async Task RevokeAsync(HttpContext context, Subject subject, IFormCollection form)
    {
        if (await credentials.FindAsync(form["id"].ToString(), context.RequestAborted) is not { } credential
            || !(IsOf(subject, credential) || administrators.Include(subject)))
        {
            await ShowAsync(
                context, subject,
                Html.Of($"""<p class="note">You have no such token; it may already have been deleted.</p>"""),
                StatusCodes.Status404NotFound);
            return;
        }

        if (await audit.TryAdmitAsync(context))
        {
            await credentials.RevokeAsync(
                credential.Id, new CredentialActor(subject.ToString(), GatewayContext.Of(context).RequestId),
                context.RequestAborted);
            Page.Redirect(context, PortalPaths.Account);
        }
    }

    /// <summary>The page on which a person authorizes a device.</summary>
    public Task ShowDeviceAsync(HttpContext context, Subject subject, string? note = null)
    {
        var asked = context.Request.Query["user_code"].ToString();
        var isCode = UserCode.TryParse(asked, out var code);
        var warning = note is null ? Html.Empty : Html.Of($"""<p class="note">{note}</p>""");
        return Page.WriteAsync(context, "Authorize a device", Html.Of(
            $"""
            {warning}
            <p>This signs in a device, such as a terminal that runs <code>gateway login</code>, as
            <strong>{subject.Name}</strong>.</p>
            <p class="note">Continue only if you started this yourself a moment ago and the device shows the same code.
            If someone else sent you this link or code, they could then act in your name.</p>
            <form method="post" action="{PortalPaths.Device}">{Csrf(context)}
            <label>Code <input name="user_code" required autocomplete="off" value="{(isCode ? code : asked)}"></label>
            <button>Authorize</button></form>
            <p><a href="{PortalPaths.Account}">Cancel</a></p>
            """), note is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    /// <summary>Authorizes a device.</summary>
    public async Task ApproveDeviceAsync(HttpContext context, Subject subject, IFormCollection form)
    {
        if (!UserCode.TryParse(form["user_code"].ToString(), out var code))
        {
            await ShowDeviceAsync(context, subject,
                "This code is mistyped. Enter the twelve letters that the device shows.");
            return;
        }

        if (!await audit.TryAdmitAsync(context))
        {
            return;
        }

        if (!await devices.ApproveAsync(
            code, GatewayContext.Of(context).Host.Authority, subject, context.RequestAborted))
        {
            await ShowDeviceAsync(context, subject, "This code has already been used. Start again on the device.");
            return;
        }

        await Page.WriteAsync(context, "Device authorized", Html.Of(
            $"""<p>The device continues within seconds. To sign it out, revoke its login in your account.</p><p><a class="button" href="{PortalPaths.Account}">Your account</a></p>"""));
    }

    /// <summary>What is wrong with an order, in three parts.</summary>
    private static Html NoteOf(Problem problem) => Html.Of($"""<p class="note">{problem.ToString()}</p>""");

    // The method counts: with authentication.collisions the same name of another source is another person.
    private static bool IsOf(Subject subject, StoredCredential credential) =>
        credential.Owner.ToString() == subject.ToString() && credential.Owner.Method == subject.Method;

    private static Html RowOf(StoredCredential one, Html owner, Html csrf)
    {
        var lastUsed = one.LastUsedAt is { } used ? Day(used) : "never";
        return Html.Of(
            $"""
            <tr>{owner}<td>{one.Name}</td><td>{WordOf(one.Kind)}</td><td>{Day(one.ExpiresAt)}</td><td>{lastUsed}</td>
            <td><form class="inline" method="post" action="{PortalPaths.Account}/revoke">{csrf}
            <input type="hidden" name="id" value="{one.Id}"><button>Revoke</button></form></td></tr>
            """);
    }

    private Html Csrf(HttpContext context)
    {
        var tokens = antiforgery.GetAndStoreTokens(context);
        return Html.Of($"""<input type="hidden" name="{tokens.FormFieldName}" value="{tokens.RequestToken}">""");
    }

    private static string WordOf(CredentialKind kind) => kind switch
    {
        CredentialKind.Personal => "token",
        CredentialKind.Refresh => "login",
        CredentialKind.Session => "browser",
        _ => TokenDocument.NameOf(kind),
    };

    private static string Day(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
