using System.Globalization;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Load;

/// <summary>Runs scripts of tests/load with the Node runner, which ends with k6's exit codes.</summary>
internal static class LoadRun
{
    /// <summary>A threshold was crossed.</summary>
    public const int ThresholdCrossed = 99;

    /// <summary>Options, thresholds or arguments are wrong.</summary>
    public const int WrongOptions = 104;

    /// <summary>The script threw where that ends the run.</summary>
    public const int Exception = 107;

    /// <summary>
    /// Time limits that no machine misses: what is tested is what the scripts do, not how fast this machine is.
    /// </summary>
    private const string NoTimeLimits = "P95_MS=600000 TOKEN_P95_MS=600000 HEAD_P95_MS=600000";

    /// <summary>The folder of the scripts.</summary>
    public static string Folder => Path.Combine(TestPaths.Repository, "tests", "load");

    /// <summary>Runs a script to its end.</summary>
    /// <param name="script">Its name in <see cref="Folder"/>, or a path.</param>
    /// <param name="settings"><c>NAME=VALUE</c> for the script, separated by spaces.</param>
    /// <param name="arguments">Further arguments of the runner.</param>
    public static Task<CliResult> RunAsync(string script, string settings, params string[] arguments) =>
        RunAsync(script, settings, null, arguments);

    /// <summary>Runs a script to its end.</summary>
    /// <param name="script">Its name in <see cref="Folder"/>, or a path.</param>
    /// <param name="settings"><c>NAME=VALUE</c> for the script, separated by spaces.</param>
    /// <param name="timeout">The longest it may take; two minutes unless given.</param>
    /// <param name="arguments">Further arguments of the runner.</param>
    public static Task<CliResult> RunAsync(
        string script, string settings, TimeSpan? timeout, params string[] arguments) => Cli.RunAsync(
        "node",
        [Path.Combine(Folder, "run.mjs"), script, .. SettingsOf(NoTimeLimits), .. SettingsOf(settings), .. arguments],
        new CliSettings
        {
            Timeout = timeout,
            // Whatever the one who runs the tests has set for scripts of their own.
            Environment = new Dictionary<string, string?> { ["SSL_CERT_FILE"] = null, ["GATEWAY_URL"] = null },
        });

    /// <summary>Fails the test unless the run ended with this code.</summary>
    public static void EndedWith(this CliResult run, int code) => Assert.True(
        run.ExitCode == code,
        string.Create(
            CultureInfo.InvariantCulture, $"{run.Command}\nended with {run.ExitCode}, not {code}:\n{run.Text}"));

    private static IEnumerable<string> SettingsOf(string settings) =>
        settings.Split(' ', StringSplitOptions.RemoveEmptyEntries).SelectMany(
            static setting => new[] { "-e", setting });
}
