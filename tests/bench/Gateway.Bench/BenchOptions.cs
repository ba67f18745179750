using System.Globalization;

namespace Gateway.Bench;

/// <summary>What the command line asks for; tests/bench/run describes it.</summary>
internal sealed record BenchOptions
{
    /// <summary>The folder for everything that the run makes; the caller removes it.</summary>
    public required string Scratch { get; init; }

    /// <summary>The published gateway: a folder.</summary>
    public required string Gateway { get; init; }

    /// <summary>The built host of bare YARP: a folder.</summary>
    public required string Yarp { get; init; }

    /// <summary>The folder for performance.md, .csv and .svg; none: the figures are only printed.</summary>
    public string? Output { get; init; }

    /// <summary>Another published gateway, to compare with; none unless set.</summary>
    public string? Also { get; init; }

    /// <summary>The program for people's own machines, where it is another; else the gateway's.</summary>
    public string? Client { get; init; }

    /// <summary>How much of everything.</summary>
    public Sizes Sizes { get; init; } = new();

    /// <summary>The workloads to run; empty: all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>The fronts to run; empty: all.</summary>
    public IReadOnlyList<string> Fronts { get; init; } = [];

    /// <summary>Whether the page and the picture are only written again, from the CSV of an earlier run.</summary>
    public bool IsRedrawn { get; init; }

    /// <summary>Whether it shows where the fronts spend their time, instead of measuring how much.</summary>
    public bool IsProfiled { get; init; }

    /// <summary>Reads the command line.</summary>
    /// <exception cref="BenchException">It is wrong; the message says how.</exception>
    public static BenchOptions Parse(IReadOnlyList<string> arguments)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        string[] switches = ["--tiny", "--redraw", "--profile"];
        for (var i = 0; i < arguments.Count; i++)
        {
            if (switches.Contains(arguments[i]))
            {
                values[arguments[i]] = "";
            }
            else if (i + 1 < arguments.Count)
            {
                values[arguments[i]] = arguments[++i];
            }
            else
            {
                throw new BenchException($"{arguments[i]} needs a value. See tests/bench/run --help.");
            }
        }

        string[] known =
        [
            "--scratch", "--gateway", "--yarp", "--output", "--also", "--client", "--only", "--fronts", "--rounds",
            "--seconds", .. switches,
        ];
        if (values.Keys.FirstOrDefault(key => !known.Contains(key)) is { } unknown)
        {
            throw new BenchException($"there is no such option (found: {unknown}). See tests/bench/run --help.");
        }

        var sizes = values.ContainsKey("--tiny") ? Sizes.Tiny : new Sizes();
        var rounds = NumberOf(values, "--rounds", sizes.Rounds);
        return new BenchOptions
        {
            Scratch = values["--scratch"],
            Gateway = values["--gateway"],
            Yarp = values["--yarp"],
            Output = values.GetValueOrDefault("--output"),
            Also = values.GetValueOrDefault("--also"),
            IsRedrawn = values.ContainsKey("--redraw"),
            IsProfiled = values.ContainsKey("--profile"),
            Client = values.GetValueOrDefault("--client"),
            Only = ListOf(values, "--only"),
            Fronts = ListOf(values, "--fronts"),
            Sizes = sizes with
            {
                Rounds = rounds,
                Repeats = Math.Min(rounds, sizes.Repeats),
                WrkSeconds = NumberOf(values, "--seconds", sizes.WrkSeconds),
            },
        };
    }

    private static string[] ListOf(Dictionary<string, string> values, string key) =>
        values.GetValueOrDefault(key, "").Split(
            ',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static int NumberOf(Dictionary<string, string> values, string key, int otherwise) =>
        !values.TryGetValue(key, out var text)
            ? otherwise
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                ? number
                : throw new BenchException($"{key} must be a positive integer (found: {text}).");
}
