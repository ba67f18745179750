using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Host.Configuration;

/// <summary>Texts of configuration files, and how tests read them.</summary>
internal static class ConfigurationSamples
{
    public const string Minimal = """
        publicUrl: https://registry.example.com
        tls: { certificates: [ { certificate: certs/tls.crt, key: certs/tls.key } ] }
        registries: [ { name: main, upstreams: [ "http://registry:5000" ] } ]
        authentication: { htpasswd: { file: users.htpasswd } }
        policies: policies/

        """;

    /// <summary>The minimal file with a credential section, whose lines are given, for its registry.</summary>
    public static string WithCredential(params string[] lines) => Minimal.Replace(
        "registries: [ { name: main, upstreams: [ \"http://registry:5000\" ] } ]",
        "registries:\n  - name: main\n    upstreams: [ \"http://registry:5000\" ]\n    credential:\n"
            + string.Join('\n', lines.Select(static line => "      " + line)),
        StringComparison.Ordinal);

    public static GatewayOptions Load(
        TemporaryFolder folder, string text, params (string Name, string Value)[] environment) =>
        ConfigurationLoader.Load(
            folder.Write("gateway.yaml", text), environment.ToDictionary(static v => v.Name, static v => v.Value));

    /// <summary>Every problem, one a line, without the folder's name.</summary>
    public static string Problems(TemporaryFolder folder, string text, params (string Name, string Value)[] environment)
    {
        var exception = Assert.Throws<ProblemException>(() => Load(folder, text, environment));
        return exception.Message.Replace(folder.Path, "FOLDER", StringComparison.Ordinal)
            .Replace("FOLDER/gateway.yaml", "gateway.yaml", StringComparison.Ordinal);
    }
}
