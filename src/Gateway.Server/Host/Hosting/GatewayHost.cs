using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Host.Control;
using Gateway.Server.Host.Metrics;
using Gateway.Server.Host.Rotation;
using Gateway.Server.Host.Telemetry;
using Gateway.Server.Limits.RateLimiting;
using Gateway.Server.Portal.Pages;
using Gateway.Server.Portal.Trust;
using Gateway.Server.Records.Audit;
using Gateway.Server.Registry.Authorization;
using Gateway.Server.Registry.Contents;
using Gateway.Server.Registry.Listing;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Registry.Uploads;
using Gateway.Server.Requests.Cors;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Redis;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.Requests.Tls;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.ClientCertificates;
using Gateway.Server.SignIn.Issuers;
using Gateway.Server.SignIn.Ldap;
using Gateway.Server.SignIn.Workloads;
using Gateway.Server.Store.Keys;
using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Credentials;
using Gateway.Server.Tokens.Service;

namespace Gateway.Server.Host.Hosting;

/// <summary>Puts the program together. It is a table of contents: every step's work lies in its own folder.</summary>
internal static class GatewayHost
{
    /// <summary>Builds the server, reading every file it needs.</summary>
    /// <param name="options">A valid configuration.</param>
    /// <param name="customize">Changes to the composition, for tests; none in the program.</param>
    /// <exception cref="ProblemException">
    /// A certificate, user or policy file or the store is wrong; nothing listens.
    /// </exception>
    public static WebApplication Build(GatewayOptions options, Action<WebApplicationBuilder>? customize = null)
    {
        // Every problem of every file at once, before anything listens.
        if (ConfigurationCheck.Run(options) is { Count: > 0 } problems)
        {
            throw new ProblemException(problems);
        }

        // Empty: no appsettings.json, no ASPNETCORE_* variables. There is one place for settings.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "gateway" });
        builder.Logging.AddGatewayLog(options.Log);
        builder.WebHost.UseGatewayKestrel(options);
        AddServices(builder, options);
        customize?.Invoke(builder);

        var app = builder.Build();
        app.Services.OpenStateStore(); // a file that cannot be used stops the start here
        UseSteps(app, options);
        return app;
    }

    private static void AddServices(WebApplicationBuilder builder, GatewayOptions options)
    {
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(options.Authentication);
        builder.Services.AddSingleton(options.Tokens);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(_ => options.CreateRouter());
        builder.Services.AddSingleton<HealthReport>();
        builder.Services.AddAudit(options.Audit, options.State.Folder);
        builder.Services.AddReloadAudit(options.Audit);
        builder.Services.AddGatewayTls(options.Tls, options.PublicUrl!);
        builder.Services.AddTrustPages(options.Tls);
        builder.Services.AddRedis(options.Redis, longest: options.Limits.Timeout);
        builder.Services.AddStateStore(options.State, options.Redis);
        builder.Services.AddGatewayAuthentication();
        builder.Services.AddClientCertificates(options.Authentication);
        builder.Services.AddLdap(options.Authentication);
        builder.Services.AddIssuers();
        builder.Services.AddWorkloads(options.Authentication);
        builder.Services.AddPortal(options.Authentication, options.State, options.Tokens.Keys);
        builder.Services.AddGatewayAuthorization(options.PolicySource());
        builder.Services.AddSigningKeys(options.SigningKeySettings(), options.Tokens.Keys, options.State.Folder);
        builder.Services.AddAccessTokens();
        builder.Services.AddIssuedCredentials();
        builder.Services.AddTokenEndpoint();
        builder.Services.AddUploads();
        builder.Services.AddListing();
        builder.Services.AddContentCache(options.ContentCache, options.Redis);
        builder.Services.AddRateLimits(
            options.Limits, options.File, options.ReadLimits, isShared: options.Redis is not null);
        builder.Services.AddUpstreamProxy(options.Registries, options.Telemetry.MakesTraces);
        builder.Services.AddGatewayCors(options.Cors);
        builder.Services.AddHostedService<FileReloadService>();
        builder.Services.AddSingleton<FilesEndpoint>();
        builder.Services.AddSingleton<RotationReminders>();
        builder.Services.AddHostedService(static provider => provider.GetRequiredService<RotationReminders>());
        builder.Services.AddGatewayMetrics();
        builder.Services.AddTelemetry(options);
        builder.Services.AddHostedService<RunningMark>();
        builder.Services.AddSingleton<RunningRequests>();
        builder.Services.AddSingleton<MemoryReturn>();
        builder.Services.AddHostedService(static provider => provider.GetRequiredService<MemoryReturn>());
        builder.Services.AddSingleton<IHostLifetime, DrainingLifetime>();
        builder.Services.Configure<ForwardedHeadersOptions>(forwarded => TrustedProxies.Configure(forwarded, options));
    }

    // Each step says why it stands where it does.
    private static void UseSteps(WebApplication app, GatewayOptions options)
    {
        // The framework would put its own in front of all steps, because the forwarder's services bring it. No endpoint
        // here has one of its policies; one that had would fail.
        ((IApplicationBuilder)app).Properties["__AuthorizationMiddlewareSet"] = true;
        app.UseMiddleware<RunningRequestsMiddleware>(); // first: an ending gateway waits for what is behind
        if (options.TrustedProxies.Count > 0)
        {
            app.UseForwardedHeaders(); // early: the client's address is used by everything behind
        }

        app.UseGatewayHsts(); // on every answer over TLS
        app.UseTracing(); // says in a request's span what came of it
        app.UseGatewayMetrics(); // counts what the steps below make of a request
        app.UseAudit(); // sees the end of each request, however it comes
        app.UseMiddleware<RequestContextMiddleware>(); // names the request; turns what escapes into an answer
        app.UseMiddleware<ListenerMiddleware>(); // the redirecting and the management listener end here
        app.UseMiddleware<HostMiddleware>(); // a host that is not ours gets no further
        app.UseGatewayCors(); // before any credentials are asked for: a preflight carries none
        app.MapSigningKeys();
        app.UseTokenEndpoint(); // not behind the proxy: nothing of it goes upstream
        app.UseTrustPages(options.Tls); // how clients come to trust a private authority
        app.UsePortal(options.Authentication); // pages for people: sign-in by a provider, tokens, devices
        app.MapTokenApi();
        app.MapRegistry();
        app.MapFallback("{**path}", static context => context.WriteErrorAsync(RegistryError.NotFound(
            "there is nothing at this path; the registry API starts at /v2/")));
    }
}
