using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using Gateway.Foundation.Configuration;

namespace Gateway.Client.Commands;

/// <summary>Reads a password: from the terminal without showing it, else from standard input.</summary>
internal static class PasswordPrompt
{
    private const int MostBytes = 4096;

    /// <summary>Reads a password.</summary>
    /// <param name="prompt">Where the prompt is written: standard error, so that output can be piped.</param>
    /// <param name="userName">Whose password it is.</param>
    /// <param name="isNew">Whether it is asked for twice on a terminal, since nobody sees a slip.</param>
    /// <exception cref="ProblemException">The two differ, or the input is not text.</exception>
    public static string Read(TextWriter prompt, string userName, bool isNew)
    {
        if (Console.IsInputRedirected)
        {
            return FromStandardInput();
        }

        // Switches the echo off before the prompt appears: text typed before the first ReadKey would be shown.
        _ = Console.KeyAvailable;
        var password = FromTerminal(prompt, $"{(isNew ? "New password" : "Password")} for {userName}: ");
        return !isNew || FromTerminal(prompt, "Repeat the password: ") == password
            ? password
            : throw new ProblemException(new Problem("password", "the two passwords differ", null, "Try again."));
    }

    // One line break at the end is dropped: echo and editors add it, and it is not part of the password.
    private static string FromStandardInput()
    {
        using var input = Console.OpenStandardInput();
        var buffer = new byte[MostBytes];
        try
        {
            var length = input.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            ReadOnlySpan<byte> bytes = buffer.AsSpan(0, length);
            if (length == MostBytes || !Utf8.IsValid(bytes))
            {
                throw new ProblemException(new Problem(
                    "password",
                    "standard input does not hold a password in UTF-8",
                    null,
                    "Pipe in only the password."));
            }

            bytes = bytes.EndsWith("\r\n"u8) ? bytes[..^2] : bytes.EndsWith("\n"u8) ? bytes[..^1] : bytes;
            return Encoding.UTF8.GetString(bytes);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static string FromTerminal(TextWriter prompt, string question)
    {
        prompt.Write(question);
        prompt.Flush();
        var password = new StringBuilder();
        for (var key = Console.ReadKey(intercept: true); key.Key != ConsoleKey.Enter; key = Console.ReadKey(
            intercept: true))
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                password.Length = Math.Max(0, password.Length - 1);
            }
            else if (key.KeyChar != '\0') // an arrow or function key
            {
                password.Append(key.KeyChar);
            }
        }

        prompt.WriteLine();
        return password.ToString();
    }
}
