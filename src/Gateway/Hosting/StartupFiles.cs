using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Core.Authorization;
using Gateway.Reloading;
using Gateway.Tls;

namespace Gateway.Hosting;

/// <summary>Reads every file before anything listens, so that all that is wrong is told at once.</summary>
internal static class StartupFiles
{
    /// <exception cref="ProblemException">With the problems of all files.</exception>
    public static void Load(IServiceProvider services)
    {
        var problems = new List<Problem>();
        Try(() => services.GetRequiredService<Reloadable<CertificateSet>>());
        Try(() => services.GetRequiredService<Reloadable<PolicySet>>());
        if (services.GetRequiredService<AuthenticationOptions>().Htpasswd is not null)
        {
            Try(() => services.GetRequiredService<Reloadable<HtpasswdFile>>());
        }

        if (problems.Count > 0)
        {
            throw new ProblemException(problems);
        }

        void Try(Action load)
        {
            try
            {
                load();
            }
            catch (ProblemException exception)
            {
                problems.AddRange(exception.Problems);
            }
        }
    }
}
