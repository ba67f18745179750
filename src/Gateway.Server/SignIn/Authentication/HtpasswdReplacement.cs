using System.Globalization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// What a changed user file must be to replace the users in force: complete, as far as the gateway can tell.
/// </summary>
/// <remarks>
/// A file that is cut off signs people out. Every tool that writes one ends each line, so an open last line is half
/// a line; a file cut between lines shows by how many users it lacks, where <c>maximumLossPercent</c> sets the limit.
/// </remarks>
internal static class HtpasswdReplacement
{
    /// <summary>Reads the file.</summary>
    /// <param name="options">The section.</param>
    /// <param name="replaced">The users in force, and whether an operator accepted the loss of many.</param>
    /// <param name="now">The current time.</param>
    /// <exception cref="ProblemException">The file is wrong, or held back.</exception>
    public static HtpasswdFile Load(HtpasswdOptions options, Replacement<HtpasswdFile> replaced, DateTimeOffset now)
    {
        var users = HtpasswdFile.Load(options);
        if (replaced.InForce is not { } before)
        {
            return users; // a start has no last good ones to keep
        }

        if (users.HasOpenLine)
        {
            throw new ProblemException(OpenLine(options.File));
        }

        if (options.MaximumLossPercent is { } limit && !replaced.IsAccepted)
        {
            var removed = RemovedUsers.Read(options.File, now);
            var lost = before.Names.Count(name => users.Find(name) is null && !removed.Contains(name));
            if (lost * 100L > (long)limit * before.Count)
            {
                throw new ProblemException(new Problem(
                    options.File,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{lost} of {before.Count} users are missing, more than {limit} % "
                        + $"(authentication.htpasswd.maximumLossPercent)"),
                    null,
                    "Write the complete file again; if you meant to remove them: gateway user reload --accept."));
            }
        }

        return users;
    }

    /// <summary>What to say of a file that ends within a line.</summary>
    public static Problem OpenLine(string path) => new(
        path,
        "the last line has no line break, so the file may be cut off",
        null,
        "Write the complete file again, with a line break after each line.");
}
