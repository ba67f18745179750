using System.Runtime.InteropServices;
using Gateway.Bench;

// The entry is tests/bench/run, which builds and names all folders.
using var ending = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
try
{
    var options = BenchOptions.Parse(args);
    await (options.IsRedrawn ? Bench.RedrawAsync(options) : Bench.RunAsync(options, ending.Token));
    return 0;
}
catch (BenchException exception)
{
    await Console.Error.WriteLineAsync($"bench: {exception.Message}");
    return 1;
}
catch (OperationCanceledException) when (ending.IsCancellationRequested)
{
    return 130;
}

void Cancel(PosixSignalContext context)
{
    context.Cancel = true;
    ending.Cancel();
}
