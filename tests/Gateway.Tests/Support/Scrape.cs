using System.Globalization;

namespace Gateway.Tests.Support;

/// <summary>What <c>/metrics</c> of a test gateway says at one moment.</summary>
internal sealed class Scrape
{
    private readonly Dictionary<string, double> _samples = [];

    private Scrape(string text)
    {
        Text = text;
        foreach (var line in text.Split('\n'))
        {
            if (line.Length > 0 && line[0] != '#')
            {
                var space = line.LastIndexOf(' ');
                _samples.Add(line[..space], double.Parse(line[(space + 1)..], CultureInfo.InvariantCulture));
            }
        }
    }

    /// <summary>All of it.</summary>
    public string Text { get; }

    /// <summary>Every sample by its name and labels.</summary>
    public IReadOnlyDictionary<string, double> Samples => _samples;

    /// <summary>The value of a sample; zero where it is missing.</summary>
    public double this[string sample] => _samples.GetValueOrDefault(sample);

    /// <summary>Asks a gateway whose management listener is its last plain one.</summary>
    public static async Task<Scrape> ReadAsync(TestGateway gateway)
    {
        using var client = new HttpClient();
        return new Scrape(await client.GetStringAsync($"http://127.0.0.1:{gateway.PlainPorts[^1]}/metrics"));
    }

    /// <summary>
    /// Asks until a sample has a value: a request is counted once it has ended, a moment after the client has its
    /// answer.
    /// </summary>
    public static async Task<Scrape> UntilAsync(TestGateway gateway, string sample, double value)
    {
        var scrape = await ReadAsync(gateway);
        try
        {
            await Eventually.TrueAsync(async () => (scrape = await ReadAsync(gateway))[sample].Equals(value));
        }
        catch (Xunit.Sdk.XunitException)
        {
            Assert.Fail($"{sample} is not {value}:\n{scrape.Text}");
        }

        return scrape;
    }
}
