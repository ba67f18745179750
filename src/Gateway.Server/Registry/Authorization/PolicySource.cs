using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Registry.Policies;

namespace Gateway.Server.Registry.Authorization;

/// <summary>Where the policies are, and what they must hold to come into force.</summary>
/// <param name="Folder">The folder of the files.</param>
/// <param name="Registries">The configured registries' names; a rule for another one is a problem.</param>
/// <param name="RequireDocumentEnd">Whether each file must end with <c>...</c>.</param>
/// <param name="RunTests">Whether they must pass their own tests.</param>
internal sealed record PolicySource(
    string Folder, IReadOnlyList<string> Registries, bool RequireDocumentEnd, bool RunTests)
{
    /// <summary>What reads them, and knows the files that it has read.</summary>
    public PolicyReader Reader { get; init; } = new();

    /// <summary>The files there are now.</summary>
    public IReadOnlyList<string> Files => PolicyFolder.Paths(Folder);

    /// <summary>Reads them.</summary>
    /// <exception cref="ProblemException">
    /// They are wrong, or fail their own tests where those are asked for.
    /// </exception>
    public PolicySet Load()
    {
        var policies = Reader.Read(Folder, Registries, RequireDocumentEnd).PolicyOrProblems();
        return RunTests
            && PolicyTests.Run(policies, Folder, RequireDocumentEnd) is { Failures: { Count: > 0 } failures }
            ? throw new ProblemException([.. failures])
            : policies;
    }
}
