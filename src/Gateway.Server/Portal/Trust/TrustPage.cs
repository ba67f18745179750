using Gateway.Foundation.Configuration;
using Gateway.Foundation.Trust;
using Gateway.Server.Portal.Pages;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Requests.Tls;

namespace Gateway.Server.Portal.Trust;

/// <summary>The page that explains how to make clients trust this registry.</summary>
internal static class TrustPage
{
    /// <summary>The link to it from other pages; nothing where no authority is configured.</summary>
    public static Html LinkOf(TlsOptions tls) => tls.Authority is null
        ? Html.Empty
        : Html.Of(
            $"""<p id="trust">docker says "certificate signed by unknown authority"? <a href="{TrustPaths.Page}">How to make your machine trust this registry</a></p>""");

    /// <summary>Writes it.</summary>
    public static Task WriteAsync(HttpContext context, RegistryName name, PrivateAuthority authority)
    {
        var warnings = Html.Join(
            authority.Warnings.Select(static one => Html.Of($"""<p class="note">{NoteOf(one)}</p>""")));
        var certificates = Html.Join(authority.Certificates.Select(static one => Html.Of(
            $"""
            <tr><th>Authority</th><td>{one.Subject}</td></tr>
            <tr><th>SHA-256</th><td><code class="fingerprint">{PrivateAuthority.FingerprintOf(one)}</code></td></tr>
            <tr><th>Valid</th><td>{PrivateAuthority.ValidityOf(one)}</td></tr>
            """)));
        var sections = Html.Join(TrustGuide.Write(name, "ca.crt", authority.Pem).Select(static section => Html.Of(
            $"""
            <h2 id="{section.Client.ToString().ToLowerInvariant()}">{section.Title}</h2>{Html.Join(section.Parts.Select(HtmlOf))}
            """)));
        return Page.WriteAsync(context, "Trust this registry", Html.Of(
            $"""
            <p>The certificate of the container registry {name.Text} was issued by a private authority.
            Until your machine trusts it, clients report <code>x509: certificate signed by unknown authority</code>.</p>
            {warnings}
            <table>{certificates}</table>
            <p><a class="button" href="{TrustPaths.File}" download="ca.crt">ca.crt</a></p>
            <p class="note">Until your machine trusts this registry, someone on the network path could have changed this page and the
            file. Compare the fingerprint of your file with one that you get another way: from the registry's operator, not
            from this page.</p>
            <pre>curl --insecure --fail --output ca.crt {ShellWord.Of(name.Url + TrustPaths.File)}
            openssl x509 -in ca.crt -noout -subject -sha256 -fingerprint</pre>
            <p>With the gateway's own program, which shows what it will do and asks first:</p>
            <pre>gateway trust --ca ca.crt --host {ShellWord.Of(name.Text)} --install</pre>
            {sections}
            """));
    }

    // Without the file's path on the server.
    private static string NoteOf(Problem problem) =>
        problem.What.StartsWith(TrustServiceExtensions.Setting + ": ", StringComparison.Ordinal)
            ? problem.What[(TrustServiceExtensions.Setting.Length + 2)..] + "."
            : problem.What;

    private static Html HtmlOf(TrustPart part) => part.Block is null
        ? Html.Of($"<p>{part.Text}</p>")
        : Html.Of($"<p>{part.Text}</p><pre>{part.Block.TrimEnd('\n')}</pre>");
}
