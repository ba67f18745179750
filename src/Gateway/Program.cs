using System.CommandLine;
using Gateway.Client.Commands;
using Gateway.Client.Login;
using Gateway.Commands;

// Under the name that docker calls, it is docker's credential helper; without a subcommand the gateway serves.
var arguments = Invocation.Name() == CredentialHelper.ExecutableName ? args.Prepend("credential-helper").ToArray()
    : args is [] or ["-c" or "--config", ..] ? args.Prepend("serve").ToArray()
    : args;

// The host handles SIGTERM itself and lets transfers finish; the parser's own handler would end the process after 2 s.
return await GatewayCommand.Create().Parse(arguments).InvokeAsync(
    new InvocationConfiguration { ProcessTerminationTimeout = null });
