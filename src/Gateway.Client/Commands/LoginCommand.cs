using System.CommandLine;
using Gateway.Client.Login;
using Gateway.Foundation.Configuration;

namespace Gateway.Client.Commands;

/// <summary>
/// <c>gateway login|logout REGISTRY</c>: signs people in on their own machines, for docker, podman and similar clients.
/// Needs none of the server's files.
/// </summary>
internal static class LoginCommand
{
    private static readonly Argument<string> Registry = new("REGISTRY")
    {
        Description = "The registry: registry.example.com.",
    };

    private static readonly Option<string?> User = new("--username", "-u")
    {
        Description = "Signs in as this user, with a password. Default: signs in with a browser, here or on "
            + "another machine.",
    };

    private static readonly Option<FileInfo?> Authority = new("--ca")
    {
        Description = "PEM file of the authority that signed the registry's certificate, if the system does not "
            + "trust it.",
    };

    private static readonly Option<bool> NoDocker = new("--no-docker")
    {
        Description = "Does not change docker's configuration.",
    };

    public static Command CreateLogin()
    {
        var command = new Command(
            "login", "Signs in to a registry, with a browser or with a password that it asks for or reads from "
                + "standard input.") { Registry, User, Authority, NoDocker };
        command.SetAction((result, cancellationToken) => ReportingAsync(() => LoginAsync(result, cancellationToken)));
        return command;
    }

    public static Command CreateLogout()
    {
        var command = new Command("logout", "Signs out of a registry.") { Registry, NoDocker };
        command.SetAction((result, _) => ReportingAsync(() =>
        {
            var registry = RegistryAddress.Parse(result.GetRequiredValue(Registry));
            var removed = LoginFile.Own().Remove(registry);
            if (!result.GetValue(NoDocker))
            {
                DockerConfiguration.Own().LeaveHelper(registry);
            }

            Console.WriteLine(removed ? $"Signed out of {registry}." : $"You were not signed in to {registry}.");
            return Task.FromResult(0);
        }));
        return command;
    }

    public static Command CreateHelper()
    {
        var action = new Argument<string>("ACTION") { Description = "get, store, erase or list." };
        var command = new Command(
            "credential-helper",
            $"Gives docker the stored sign-ins; docker runs it as {CredentialHelper.ExecutableName}.") { action };
        command.SetAction((result, cancellationToken) =>
            new CredentialHelper(LoginFile.Own(), Console.In, Console.Out)
                .RunAsync(result.GetRequiredValue(action), cancellationToken));
        return command;
    }

    private static async Task<int> LoginAsync(ParseResult result, CancellationToken cancellationToken)
    {
        var registry = RegistryAddress.Parse(result.GetRequiredValue(Registry));
        var authority = result.GetValue(Authority)?.FullName;
        var usesDocker = !result.GetValue(NoDocker);
        // Before anything is asked, sent or stored: configuring a helper that does not answer breaks every docker
        // command for the registry.
        if (usesDocker && await HelperProbe.FindProblemAsync(cancellationToken) is { } missing)
        {
            throw NoHelper("nothing was done", missing);
        }

        using var signIn = new RegistrySignIn(registry, authority);
        var file = LoginFile.Own();
        StoredLogin login;
        if (result.GetValue(User) is not { } user)
        {
            // The device shows this (RFC 8628, section 3.3): the person sees where the link leads, and compares the
            // code.
            var token = await signIn.SignInByBrowserAsync(
                (page, code) => Console.WriteLine(
                    $"Open {page} in a browser, and authorize the code {code}."), cancellationToken);
            login = new StoredLogin("<token>", token, IsRefreshToken: true);
            file.Set(registry, login);
            Console.WriteLine($"Signed in to {registry}.");
        }
        else
        {
            var password = PasswordPrompt.Read(result.InvocationConfiguration.Error, user, isNew: false);
            var token = await signIn.SignInAsync(user, password, cancellationToken);
            login = new StoredLogin(user, token ?? password, token is not null);
            file.Set(registry, login);
            Console.WriteLine($"Signed in to {registry} as {user}.");
            if (token is null)
            {
                Console.Error.WriteLine(
                    "This registry issues no refresh tokens (tokens.refreshTokens), so the password itself is stored "
                        + $"in {file.Path}, which only you can read.");
            }
        }

        return usesDocker ? await ConfigureDockerAsync(registry, login, cancellationToken) : 0;
    }

    private static async Task<int> ConfigureDockerAsync(
        string registry, StoredLogin login, CancellationToken cancellationToken)
    {
        var docker = DockerConfiguration.Own();
        if (await HelperProbe.FindProblemAsync(registry, login.Secret, cancellationToken) is { } problem)
        {
            throw NoHelper($"the sign-in is stored, but {docker.Path} was not changed, so docker does not use it",
                problem);
        }

        if (docker.UseHelper(registry) is { } other)
        {
            await Console.Error.WriteLineAsync($"Until now, docker used docker-credential-{other} for {registry}.");
        }

        Console.WriteLine($"docker now uses {CredentialHelper.ExecutableName} for this registry ({docker.Path}).");
        return 0;
    }

    private static ProblemException NoHelper(string consequence, string found) => new(new Problem(
        CredentialHelper.ExecutableName, $"docker's credential helper does not answer, so {consequence}", found,
        $"Install this program as the helper, and sign in again: {HelperInstallation.Command()} (or another folder on "
            + "the PATH). Without docker, give --no-docker."));

    private static async Task<int> ReportingAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (ProblemException exception)
        {
            foreach (var problem in exception.Problems)
            {
                await Console.Error.WriteLineAsync(problem.ToString());
            }

            return 1;
        }
    }
}
