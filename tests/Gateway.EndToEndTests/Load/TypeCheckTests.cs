using System.Text.Json;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Load;

/// <summary>The scripts against k6's own types, so that they use nothing that k6 lacks.</summary>
public sealed class TypeCheckTests : IClassFixture<TypeCheckTests.Compiler>, IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-types-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Scripts_TypesOfK6_Fit() => (await CompileAsync(LoadRun.Folder)).Succeeded();

    [Theory]
    [InlineData(
        "import http from 'k6/http'; export default () => http.fetch('https://localhost');",
        "Property 'fetch' does not exist")]
    [InlineData(
        "/** @type {import('k6/options').Options} */ export const options = { duraton: '1s' };",
        "'duraton' does not exist")]
    [InlineData("export default () => document.title;", "Cannot find name 'document'")]
    [InlineData("export default () => process.env;", "Cannot find name 'process'")]
    public async Task Script_SomethingK6DoesNotHave_IsRefused(string script, string told)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "script.js"), script);
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "tsconfig.json"), JsonSerializer.Serialize(new
        {
            extends = Path.Combine(LoadRun.Folder, "tsconfig.json"),
            compilerOptions = new { typeRoots = new[] { Path.Combine(LoadRun.Folder, "node_modules", "@types") } },
            include = new[] { "*.js" },
        }));

        (await CompileAsync(_folder.FullName)).FailedWith(told);
    }

    [Fact]
    public async Task Lock_Addresses_NamesNoHost() => Assert.DoesNotContain(
        "\"resolved\"", await File.ReadAllTextAsync(Path.Combine(LoadRun.Folder, "package-lock.json")),
        StringComparison.Ordinal);

    private static Task<CliResult> CompileAsync(string project) => Cli.RunAsync(
        Path.Combine(LoadRun.Folder, "node_modules", ".bin", "tsc"), ["--project", project],
        new CliSettings { Folder = LoadRun.Folder });

    /// <summary>What package-lock.json names, and nothing else, in the ignored node_modules.</summary>
    public sealed class Compiler : IAsyncLifetime
    {
        public async Task InitializeAsync() => (await Cli.RunAsync(
            "npm",
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            new CliSettings { Folder = LoadRun.Folder })).Succeeded();

        public Task DisposeAsync() => Task.CompletedTask;
    }
}
