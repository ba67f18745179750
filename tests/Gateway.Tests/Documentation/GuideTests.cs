using System.CommandLine;
using System.Text.RegularExpressions;
using Gateway.Commands;
using Gateway.Tests.Server.Host.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Documentation;

/// <summary>
/// Configurations and policies that the guides print, checked as an operator would: a yaml block whose first line is
/// <c># gateway.yaml</c> is a whole file, <c># gateway.yaml, a part</c> some sections of one, and
/// <c># policies/NAME.yaml</c> a policy file.
/// </summary>
public sealed partial class GuideTests : IDisposable
{
    private const string Whole = "gateway.yaml";
    private const string Part = "gateway.yaml, a part";
    private const string Policy = "policies/";
    // of a password that nobody knows
    private const string User = "alice:$2y$10$tWdHBdAHtoPhIZJulhlFuetS.U8BxrwSDj6pl4B9g6ip3.Bl1HhzS\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, int> Configurations() => Find(static file => file is Whole or Part);

    public static TheoryData<string, int> Policies() =>
        Find(static file => file.StartsWith(Policy, StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Configurations))]
    public async Task Configuration_AsPrinted_PassesTheCheck(string page, int line)
    {
        var block = BlockAt(page, line);
        var text = block.File == Whole ? block.Text : Complete(block.Text);

        var (code, error) = await RunAsync("config", "check", _folder.Write("gateway.yaml", WriteStandIns(text)));

        Assert.Equal((0, ""), (code, error));
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public async Task Policy_AsPrinted_PassesTheCheckWithoutWarning(string page, int line)
    {
        var block = BlockAt(page, line);
        _folder.Write(block.File!, block.Text);

        var (code, error) = await RunAsync("policy", "check", Path.Combine(_folder.Path, Policy));

        Assert.Equal((0, ""), (code, error));
    }

    [Fact]
    public async Task Policies_OfAllGuides_GoTogether()
    {
        foreach (var row in Policies())
        {
            var block = BlockAt((string)row[0], (int)row[1]);
            _folder.Write(block.File!, block.Text);
        }

        var (code, error) = await RunAsync("policy", "check", Path.Combine(_folder.Path, Policy));

        Assert.Equal((0, ""), (code, error));
    }

    [Fact]
    public void Blocks_OfGuides_NameOnlyFilesThatAreChecked()
    {
        // A slip in the first line would leave a block unchecked.
        var known = Find(static _ => true).Select(static row => BlockAt((string)row[0], (int)row[1]).File!)
            .Where(static file => file is not (Whole or Part) && !PolicyFile().IsMatch(file));

        Assert.Empty(known);
    }

    private static TheoryData<string, int> Find(Func<string, bool> isMeant)
    {
        var data = new TheoryData<string, int>();
        foreach (var page in MarkdownPage.All().Where(
            static page => page.Name.StartsWith("docs/guides/", StringComparison.Ordinal)))
        {
            foreach (var block in page.Blocks.Where(block => block.File is { } file && isMeant(file)))
            {
                data.Add(page.Name, block.Line);
            }
        }

        return data;
    }

    private static FencedBlock BlockAt(string page, int line) =>
        MarkdownPage.Read(page).Blocks.Single(block => block.Line == line);

    // Adds the sections without which there is no start, where the part says nothing of them.
    private static string Complete(string part) => part + string.Join('\n', ConfigurationSamples.Minimal.Split('\n')
        .Where(
            line => line.Length > 0
                && !part.Split('\n').Any(
                    own => own.StartsWith(
                        line[..(line.IndexOf(':', StringComparison.Ordinal) + 1)], StringComparison.Ordinal)))) + "\n";

    // Puts something good where each path leads that the configuration names; absolute ones lead into the folder as
    // well.
    private string WriteStandIns(string text)
    {
        TestCertificates.Write(_folder.Path, "registry.example.com");
        return NamedPath().Replace(text, match =>
        {
            var path = Path.Combine(_folder.Path, match.Groups["path"].Value.TrimStart('/'));
            switch (match.Groups["key"].Value)
            {
                case "policies":
                    Write("users.yaml", "rules:\n  - { name: x, to: \"user:alice\", role: reader, on: \"x/*\" }\n");
                    break;
                case "certificate" or "certificateAuthority" or "certificateAuthorities":
                    Write("", File.ReadAllText(Path.Combine(_folder.Path, "tls.crt")));
                    break;
                case "key":
                    Write("", File.ReadAllText(Path.Combine(_folder.Path, "tls.key")));
                    break;
                case "keys":
                    Write("", "{\"keys\":[]}");
                    break;
                case "file":
                    Write("", User);
                    break;
                case not "folder":
                    Write("", new string('k', 40) + "\n"); // a secret
                    break;
            }

            return match.Groups["before"].Value + path;

            void Write(string name, string content) =>
                _folder.Write(Path.GetRelativePath(_folder.Path, Path.Combine(path, name).TrimEnd('/')), content);
        });
    }

    private static async Task<(int Code, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = await GatewayCommand.Create().Parse(arguments)
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        return (code, error.ToString());
    }

    [GeneratedRegex(
        @"(?<before>\b(?<key>certificate|key|keys|file|folder|policies|certificateAuthority|certificateAuthorities|[a-z][A-Za-z]*File): *""?)(?<path>[^\s"",{}\[\]#]+)")]
    private static partial Regex NamedPath();

    [GeneratedRegex(@"\Apolicies/[a-z-]+\.yaml\z")]
    private static partial Regex PolicyFile();
}
