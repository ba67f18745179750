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
    default:
        BenchmarkSwitcher.FromAssembly(typeof(AccessTokenBenchmarks).Assembly).Run(args);
        break;
}
