using Gateway.Foundation.Configuration;

namespace Gateway.Client.Login;

/// <summary>
/// How to install this program as the credential helper: the command, for the way in which it was started.
/// </summary>
internal static class HelperInstallation
{
    /// <summary>The command, for a folder on the PATH.</summary>
    public static string Command() => Command(Environment.ProcessPath ?? "", AppContext.BaseDirectory, File.Exists);

    /// <summary>The command.</summary>
    /// <param name="process">
    /// The program of this process: the gateway's own, or <c>dotnet</c>, which is not to be linked.
    /// </param>
    /// <param name="folder">Where the gateway's files are.</param>
    /// <param name="exists">Whether there is a file.</param>
    internal static string Command(string process, string folder, Func<string, bool> exists)
    {
        const string Link = "/usr/local/bin/" + CredentialHelper.ExecutableName;
        var own = Path.GetFileNameWithoutExtension(process) == "dotnet" ? Path.Combine(folder, "gateway") : process;
        return exists(own)
            ? $"ln -sf {ShellWord.Of(own)} {Link}"
            : $"printf '#!/bin/sh\\nexec %s %s credential-helper \"$@\"\\n' {ShellWord.Of(process)} "
                + $"{ShellWord.Of(Path.Combine(folder, "gateway.dll"))} >{Link} "
                + $"&& chmod 755 {Link}"; // published without an executable (UseAppHost=false)
    }
}
