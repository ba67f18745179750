using Gateway.Commands;

// Without a subcommand the gateway serves.
var arguments = args is [] or ["-c" or "--config", ..] ? args.Prepend("serve").ToArray() : args;
return await GatewayCommand.Create().Parse(arguments).InvokeAsync();
