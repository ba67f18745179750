using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Host.Configuration;

/// <summary>
/// The corpus of wrong configurations: <c>cases/NAME.yaml</c> must be refused with exactly the lines of
/// <c>cases/NAME.txt</c>.
/// </summary>
public sealed class ConfigurationCasesTests
{
    private static readonly string Folder = RepositoryRoot.PathOf(
        "tests", "Gateway.Tests", "Server", "Host", "Configuration", "cases");
    private static readonly Dictionary<string, string> NoEnvironment = [];

    public static TheoryData<string> Cases =>
        [
            .. Directory.EnumerateFiles(Folder, "*.yaml")
                .Select(static path => Path.GetFileName(path))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_WrongFile_ReportsEveryProblem(string file)
    {
        var problems = ProblemsIn(file);

        Assert.Equal(File.ReadAllText(Path.Combine(Folder, Path.ChangeExtension(file, ".txt"))), problems);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Load_WrongFileWithSecret_ShowsItNowhere(string file)
    {
        // Whatever is secret in the corpus reads "canary".
        Assert.DoesNotContain("canary", ProblemsIn(file), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Load_WrongFiles_AreManyAndEachHasItsText()
    {
        Assert.True(Cases.Count >= 50, $"only {Cases.Count} cases were found in {Folder}");
        Assert.Equal(Cases.Count, Directory.EnumerateFiles(Folder, "*.txt").Count());
    }

    private static string ProblemsIn(string file)
    {
        var exception = Assert.Throws<ProblemException>(
            () => ConfigurationLoader.Load(Path.Combine(Folder, file), NoEnvironment));
        return string.Concat(exception.Problems.Select(static problem => problem + "\n"))
            .Replace(Folder + "/", "", StringComparison.Ordinal)
            .Replace(Folder, "FOLDER", StringComparison.Ordinal);
    }
}
