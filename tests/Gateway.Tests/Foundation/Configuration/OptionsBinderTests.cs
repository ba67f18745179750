using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;
using Gateway.Server.Host.Configuration;

namespace Gateway.Tests.Foundation.Configuration;

/// <summary>The shapes of settings that <see cref="GatewayOptions"/> does not use (yet).</summary>
public sealed class OptionsBinderTests
{
    public sealed class Shapes
    {
        public Dictionary<string, Shape> Named { get; set; } = [];

        public Dictionary<string, int> Numbers { get; set; } = [];

        public List<List<int>> Rows { get; set; } = [];

        public int? Count { get; set; }

        public TimeSpan? Wait { get; set; }

        [PathSetting]
        public List<string> Files { get; set; } = [];

        public string Computed => "never bound, " + Count;
    }

    public sealed class Shape
    {
        [RequiredSetting]
        public Uri? Url { get; set; }
    }

    [Fact]
    public void Bind_EveryShape_FillsIt()
    {
        var options = Bind(
            """
            named: { Corp: { url: https://a.example.com }, other: { url: https://b.example.com } }
            numbers: { one: 1 }
            rows: [[1, 2], [], [-3]]
            count: 7
            wait: 1h1ms
            files: [a, /b]
            """,
            out var problems);

        Assert.Empty(problems);
        Assert.Equal(["Corp", "other"], options.Named.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("https://a.example.com/", options.Named["Corp"].Url?.AbsoluteUri);
        Assert.Equal(1, options.Numbers["one"]);
        Assert.Equal([[1, 2], [], [-3]], options.Rows);
        Assert.Equal(7, options.Count);
        Assert.Equal(new TimeSpan(0, 1, 0, 0, 1), options.Wait);
        Assert.Equal(["/etc/gateway/a", "/b"], options.Files);
    }

    [Fact]
    public void Bind_EveryShapeWrong_NamesEachKey()
    {
        Bind(
            """
            named: { Corp: { url: x }, other: { }, third: }
            numbers: [1]
            rows: [[1, x], 2]
            count: ""
            wait: 1
            computed: x
            """,
            out var problems);

        Assert.Equal(
            [
                "f.yaml:1:23: named.Corp.url: is not an absolute URL (found \"x\"). Write scheme and host, for "
                    + "example \"https://registry.example.com\".",
                "f.yaml:1:35: named.other.url: is missing. Set it in the file, or as GATEWAY__Named__Other__Url.",
                "f.yaml:1:47: named.third: has no value. Give it one, or remove the line.",
                "f.yaml:2:10: numbers: is a list, but a section is expected. Write its names below it, indented, each "
                    + "with a value.",
                "f.yaml:3:12: rows[0][1]: is not an integer (found \"x\"). Write digits only, for example 10.",
                "f.yaml:3:16: rows[1]: is one value, but a list is expected. Write each item on a line of its own "
                    + "below it, indented, with \"- \" before it.",
                "f.yaml:4:8: count: is empty. Give it a value, or remove it.",
                "f.yaml:5:7: wait: has no unit (found \"1\"). Write \"1s\" if seconds are meant, or another unit (d, "
                    + "h, m, s, ms).",
                "f.yaml:6:1: computed: unknown key. Known at the top level: named, numbers, rows, count, wait, files.",
            ],
            problems);
    }

    [Fact]
    public void Bind_MapFromEnvironment_KeepsTheNameInTheFile()
    {
        var options = Bind(
            "named: { Corp: { url: https://a.example.com } }",
            out var problems,
            ("GATEWAY__Named__CORP__Url", "https://b.example.com"),
            ("GATEWAY__Numbers__two", "2"),
            ("GATEWAY__Rows__0__0", "5"));

        Assert.Empty(problems);
        Assert.Equal("https://b.example.com/", Assert.Single(options.Named).Value.Url?.AbsoluteUri);
        Assert.Equal(2, options.Numbers["two"]);
        Assert.Equal([[5]], options.Rows);
    }

    [Fact]
    public void SettingModel_TypeThatNoSettingCanHave_Throws()
    {
        Assert.Throws<NotSupportedException>(() => SettingModel.Of(typeof(Unsupported)));
    }

    public sealed class Unsupported
    {
        public object? Anything { get; set; }
    }

    private static Shapes Bind(string text, out string[] problems, params (string Name, string Value)[] environment)
    {
        var collector = new ProblemCollector();
        var model = SettingModel.Of(typeof(Shapes));
        var tree = Assert.IsType<YamlMapping>(YamlReader.Read(text, "f.yaml", collector));
        EnvironmentOverrides.Apply(
            model, tree, environment.ToDictionary(static v => v.Name, static v => v.Value), collector);
        var options = (Shapes)new OptionsBinder(
            new ConfigurationDocument("f.yaml", collector), "/etc/gateway", model).Bind(tree);
        problems = [.. collector.ToList().Select(static problem => problem.ToString())];
        return options;
    }
}
