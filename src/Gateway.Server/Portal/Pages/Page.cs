using System.Security.Cryptography;
using System.Text;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Portal.Pages;

/// <summary>The frame of every page: plain HTML without scripts, and headers that let nothing else in.</summary>
internal static class Page
{
    private const string Style =
        """
        :root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:44rem;margin:2rem auto;padding:0 1rem}
        h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}pre,code{font-family:ui-monospace,monospace}
        pre{padding:.75rem;border:1px solid #8888;border-radius:.4rem;overflow-x:auto;user-select:all}
        table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35rem .5rem;border-bottom:1px solid #8884}
        .button,button{display:inline-block;padding:.4rem .9rem;border:1px solid #8888;border-radius:.4rem;background:none;color:inherit;font:inherit;text-decoration:none;cursor:pointer}
        input,select{font:inherit;padding:.35rem .5rem}.note{padding:.75rem;border-left:4px solid #c80}form.inline{display:inline}
        """;

    private static readonly string StyleHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)));

    /// <summary>Writes a page.</summary>
    /// <param name="context">The request.</param>
    /// <param name="title">What it is.</param>
    /// <param name="body">What it shows.</param>
    /// <param name="status">The status.</param>
    /// <param name="formTarget">
    /// An origin that a form's answer may lead to, beside our own; <see langword="null"/>: none.
    /// </param>
    public static async Task WriteAsync(
        HttpContext context, string title, Html body, int status = StatusCodes.Status200OK, string? formTarget = null)
    {
        var host = GatewayContext.Of(context).Host.Authority;
        var html = Html.Of(
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>{title} · {host}</title><style>{new Html(Style)}</style></head>
            <body><main><h1>{title}</h1>{body}</main></body>
            </html>
            """);
        var bytes = Encoding.UTF8.GetBytes(html.Text);
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = bytes.Length;
        response.Headers.ContentSecurityPolicy =
            $"default-src 'none'; style-src 'sha256-{StyleHash}'; form-action 'self'"
                + $"{(formTarget is null ? "" : " " + formTarget)}; frame-ancestors 'none'; base-uri 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        // an address may hold a code; without any, our own forms would come from "null"
        response.Headers["Referrer-Policy"] = "same-origin";
        response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }

    /// <summary>Redirects the browser to a page of ours or to a provider.</summary>
    public static void Redirect(HttpContext context, string location)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = location;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["Referrer-Policy"] = "same-origin";
    }
}
