using System.Text;

namespace Gateway.Foundation.Configuration;

/// <summary>
/// The page <c>docs/configuration.md</c>: every setting with its type, default, variable and meaning.
/// </summary>
internal sealed class ConfigurationReference
{
    private const string Introduction = """
        # Configuration

        <!-- Generated from the option classes: gateway config reference > docs/configuration.md -->

        One YAML file holds everything. `gateway serve --config FILE` reads it, and `gateway config check FILE` only checks
        it. Both print one line for each problem (where it is, what is wrong, what to write instead) and exit with 78 if
        there are any. Without `--config`, every command uses the file that the environment variable `GATEWAY_CONFIG`
        names, else `config/gateway.yaml`, else `/etc/gateway/gateway.yaml`. [config/gateway.yaml](../config/gateway.yaml)
        shows every setting; its first line names the JSON Schema, with which editors complete the keys. The shortest
        useful file:

        ```yaml
        publicUrl: https://registry.example.com
        tls:
          certificates:
            - certificate: certs/tls.crt
              key: certs/tls.key
        registries:
          - name: main
            upstreams: ["http://registry:5000"]
        authentication: { htpasswd: { file: users.htpasswd } }
        policies: policies/
        ```

        ## How values are written

        - **Keys** are case-sensitive. The gateway does not start with an unknown key or one that is given twice.
        - Relative **paths** are relative to the folder of the configuration file.
        - **Durations** are integers with units, the longest first: `5m`, `90s`, `100ms`, `1h30m`, `7d`; `00:05:00`
          is accepted as well. A number without a unit is refused.
        - A **boolean** is `true` or `false`; `yes` and `on` are refused.
        - **Secrets** may also come from a file: `passwordFile: /run/secrets/password` instead of `password`. One
          trailing line break is ignored. A secret is never printed.
        - **Text that begins with** one of `* & ! % @ [ {` needs quotes: `https: "*:8443"`.
        - Anchors, aliases, tags, merge keys and a second document in the file are refused.

        ## Environment

        Every value can be set by a variable, which overrides the file. Its name is `GATEWAY__` and the key's segments
        joined by two underscores, in any case; items of lists are numbered from 0, and the number after the last adds an
        item: `GATEWAY__Registries__0__Upstreams__1=http://second:5000`. An empty variable unsets a setting that may be
        unset. The gateway does not start with a variable of this prefix that names no setting.

        The gateway does not start with `ASPNETCORE_FORWARDEDHEADERS_ENABLED`, which would make it trust the
        `X-Forwarded-For` of every client (name your load balancers in `trustedProxies`), or with `ASPNETCORE_URLS` or
        `Kestrel__…`, since it listens only on the addresses of `listen`. It ignores `ASPNETCORE_HTTP_PORTS`, which .NET's
        container images set.

        """;

    private readonly SettingDocumentation _documentation;
    private readonly StringBuilder _page = new(Introduction);

    private ConfigurationReference(SettingDocumentation documentation) => _documentation = documentation;

    /// <summary>Writes the page, ending in a line break.</summary>
    public static string Write(SectionType root, SettingDocumentation documentation)
    {
        var reference = new ConfigurationReference(documentation);
        reference.WriteSection(root, "", "GATEWAY");
        return reference._page.ToString();
    }

    private void WriteSection(SectionType section, string path, string variable)
    {
        _page.Append(
            path.Length == 0 ? "\n## Top level\n\n" : $"\n## `{path}`\n\n{_documentation.SummaryOf(section)}\n\n");
        _page.Append("| key | type | default | environment variable | meaning |\n|---|---|---|---|---|\n");
        foreach (var setting in section.Settings)
        {
            var name = $"{variable}__{setting.Property.Name}";
            WriteRow(
                $"`{setting.Key}`",
                DescribeType(setting.Type, setting),
                DescribeDefault(setting),
                VariableOf(setting.Type, name),
                _documentation.SummaryOf(setting));
            if (setting.FileKey is { } fileKey)
            {
                var meaning = $"Instead of `{setting.Key}`: a file that holds it.";
                WriteRow($"`{fileKey}`", "path", "not set", $"`{name}File`", meaning);
            }
        }

        foreach (var setting in section.Settings)
        {
            var below = path.Length == 0 ? setting.Key : $"{path}.{setting.Key}";
            WriteBelow(setting.Type, below, $"{variable}__{setting.Property.Name}");
        }
    }

    private void WriteBelow(SettingType type, string path, string variable)
    {
        switch (type)
        {
            case SectionType section:
                WriteSection(section, path, variable);
                break;
            case ListType list:
                WriteBelow(list.Item, path + "[]", variable + "__0");
                break;
            case MapType map:
                WriteBelow(map.Value, path + ".*", variable + "__NAME");
                break;
        }
    }

    private void WriteRow(params ReadOnlySpan<string> cells)
    {
        _page.Append('|');
        foreach (var cell in cells)
        {
            _page.Append(' ').Append(cell.Replace("|", "\\|", StringComparison.Ordinal)).Append(" |");
        }

        _page.Append('\n');
    }

    private static string DescribeType(SettingType type, Setting setting) => type switch
    {
        SectionType => "section, below",
        ListType { Item: SectionType } => "list of sections, below",
        ListType list => $"list: {DescribeType(list.Item, setting)}",
        MapType { Value: SectionType } => "names with sections, below",
        MapType map => $"names with values: {DescribeType(map.Value, setting)}",
        ScalarType { Form: ScalarForm.Integer } => "integer",
        ScalarType { Form: ScalarForm.Boolean } => "`true` or `false`",
        ScalarType { Form: ScalarForm.Duration } => "duration",
        ScalarType { Form: ScalarForm.Url } => "URL",
        ScalarType { Form: ScalarForm.Choice } choice =>
            string.Join(", ", ScalarParser.ChoicesOf(choice.ValueClass).Select(static name => $"`{name}`")),
        _ => setting.IsSecret ? "secret" : setting.IsPath ? "path" : "text",
    };

    private static string DescribeDefault(Setting setting) => setting switch
    {
        { IsRequired: true } => "**required**",
        { Default: List<string> { Count: > 0 } items } => string.Join(", ", items.Select(static item => $"`{item}`")),
        { Type: ListType or MapType, Default: not null } => "empty",
        { Default: null } => "not set",
        { Type: SectionType, IsNeeded: true } => "**required**",
        { Type: SectionType } => "as below",
        { Default: "" } => "empty",
        _ => $"`{ScalarParser.Format(setting.Default)}`",
    };

    private static string VariableOf(SettingType type, string name) => type switch
    {
        ScalarType => $"`{name}`",
        ListType list => VariableOf(list.Item, name + "__0"),
        MapType map => VariableOf(map.Value, name + "__NAME"),
        _ => "",
    };
}
