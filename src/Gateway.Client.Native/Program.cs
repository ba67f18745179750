using Gateway.Client.Commands;
using Gateway.Client.Login;
using Gateway.Client.Native;

// Under the name that docker calls, it is docker's credential helper and nothing else: docker waits for it.
if (Invocation.Name() == CredentialHelper.ExecutableName)
{
    return await new CredentialHelper(LoginFile.Own(), Console.In, Console.Out)
        .RunAsync(args is [var action, ..] ? action : "", CancellationToken.None);
}

return await ClientCommand.RunAsync(args, OpenSslLibrary.FindProblem);
