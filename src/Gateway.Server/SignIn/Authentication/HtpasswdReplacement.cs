using System.Globalization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Requests.Reloading;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>What a changed user file must be to replace the users in force: as whole as can be told.</summary>
/// <remarks>
/// A file that is cut off signs people out. Every tool that writes one ends each line, so an open last line is half of
/// one; a file cut at a line is told by how many users it lacks, where <c>maximumLossPercent</c> says how many are too many.
/// </remarks>
internal static class HtpasswdReplacement
{
    /// <summary>Reads the file.</summary>
    /// <param name="options">The section.</param>
    /// <param name="replaced">The users in force, and whether an operator accepted the loss of many.</param>
    /// <param name="now">The present.</param>
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
                        $"{lost} of {before.Count} users are gone, more than {limit} % (authentication.htpasswd.maximumLossPercent)"),
                    null,
                    "Write the file again, completely; where they are meant to be gone: gateway user reload --accept."));
            }
        }

        return users;
    }

    /// <summary>What to say of a file that ends within a line.</summary>
    public static Problem OpenLine(string path) => new(
        path,
        "the last line has no line break, so the file may be cut off",
        null,
        "Write it again, completely, each line with its line break.");
}
