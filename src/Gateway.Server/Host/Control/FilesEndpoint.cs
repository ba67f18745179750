using System.Text.Json;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.SignIn.Authentication;

namespace Gateway.Server.Host.Control;

/// <summary>
/// On the control socket: <c>GET /files</c> says which files are in force and why newer ones are not; <c>POST
/// /files/htpasswd</c> has the users read again, and with <c>?accept=true</c> accepted although many of them are gone.
/// </summary>
internal sealed partial class FilesEndpoint(
    IEnumerable<IReloadable> reloadables, Reloadable<HtpasswdFile> users, ILogger<FilesEndpoint> logger)
{
    /// <summary>Where all are told.</summary>
    public const string Path = "/files";

    /// <summary>Where the users are read again.</summary>
    public const string UsersPath = "/files/htpasswd";

    /// <summary>Has the users taken all the same.</summary>
    public const string Accept = "?accept=true";

    /// <summary>Answers.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var isReload = context.Request.Path.Value == UsersPath;
        if (isReload != HttpMethods.IsPost(context.Request.Method))
        {
            await context.WriteErrorAsync(RegistryError.MethodNotAllowed(
                "use GET to list the files, and POST to reload them", isReload ? "POST" : "GET"));
            return;
        }

        context.Response.ContentType = "application/json";
        if (isReload)
        {
            var isAccepted = context.Request.QueryString.Value == Accept;
            var status = await users.ReloadAsync(isAccepted, context.RequestAborted);
            if (isAccepted && status.Problems.Count == 0)
            {
                Log.Accepted(logger, users.Current.Count);
            }

            await JsonSerializer.SerializeAsync(
                context.Response.Body, FilesStanding.Of(users.Name, status), FilesJsonContext.Default.FilesStanding,
                context.RequestAborted);
            return;
        }

        var report = new FilesReport([.. reloadables.Select(static one => FilesStanding.Of(one.Name, one.Status))]);
        await JsonSerializer.SerializeAsync(
            context.Response.Body, report, FilesJsonContext.Default.FilesReport, context.RequestAborted);
    }

    private static partial class Log
    {
        [LoggerMessage(1604, LogLevel.Warning, "An operator accepted the user file as it is; it has {Count} users.")]
        public static partial void Accepted(ILogger logger, int count);
    }
}
