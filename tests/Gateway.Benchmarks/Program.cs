using BenchmarkDotNet.Running;
using Gateway.Benchmarks;

BenchmarkSwitcher.FromAssembly(typeof(AccessTokenBenchmarks).Assembly).Run(args);
