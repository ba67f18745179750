using System.Diagnostics;
using System.Text;
using Gateway.Commands;

namespace Gateway.Tests.Server.SignIn.Authentication;

/// <summary>Runs a program of the system's, or the gateway itself, to its end.</summary>
internal static class Tool
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static ToolResult Run(string program, string input, params string[] arguments)
    {
        using var process = Start(program, arguments);
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(Patience), $"{program} did not end");
        return new ToolResult(process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    public static ToolResult RunGateway(string input, params string[] arguments) =>
        Run("dotnet", input, [typeof(GatewayCommand).Assembly.Location, .. arguments]);

    public static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
        })!;
}

internal sealed record ToolResult(int ExitCode, string Output, string Error);
