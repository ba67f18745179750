namespace Gateway.Foundation.Configuration;

/// <summary>Problems as every command prints them.</summary>
internal static class ProblemReport
{
    /// <summary>EX_CONFIG of sysexits.h: a restart cannot help.</summary>
    public const int ConfigurationProblem = 78;

    /// <summary>Prints one line for each problem.</summary>
    /// <param name="error">Where to.</param>
    /// <param name="problems">What is wrong.</param>
    /// <param name="exitCode">The exit code to return.</param>
    public static int Write(TextWriter error, IEnumerable<Problem> problems, int exitCode = ConfigurationProblem)
    {
        foreach (var problem in problems)
        {
            error.WriteLine(problem);
        }

        return exitCode;
    }
}
