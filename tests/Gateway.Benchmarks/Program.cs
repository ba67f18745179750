using BenchmarkDotNet.Running;
using Gateway.Benchmarks;

switch (args)
{
    case ["policy-folder", var folder, var rules, var files]:
        PolicyFolderGenerator.Write(
            folder,
            int.Parse(rules, System.Globalization.CultureInfo.InvariantCulture),
            int.Parse(files, System.Globalization.CultureInfo.InvariantCulture));
        break;
    case ["policy-load", var folder]:
        PolicyLoad.Measure(folder);
        break;
    case ["yaml", var file]:
        var lines = File.ReadAllLines(file);
        for (var n = 1; n <= lines.Length; n++)
        {
            if (Gateway.Foundation.Yaml.SimpleYamlParser.TryRead(string.Join('\n', lines.Take(n)), "f", false) is null)
            {
                Console.WriteLine($"{n}: {lines[n-1]}");
            }
        }

        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(AccessTokenBenchmarks).Assembly).Run(args);
        break;
}
