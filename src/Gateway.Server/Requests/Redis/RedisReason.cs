using StackExchange.Redis;

namespace Gateway.Server.Requests.Redis;

/// <summary>Why an attempt to connect failed, in words for the operator.</summary>
internal static class RedisReason
{
    /// <summary>The reason, to stand after the server.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="section">Where the settings of that server are.</param>
    /// <param name="hasUser">Whether a user name is set there.</param>
    public static string Explain(ConnectionAttemptCompletedEventArgs attempt, string section, bool hasUser)
    {
        if (attempt.ServerCertificateAccepted == false)
        {
            return "cannot be reached: its certificate is not trusted, or is for another name. "
                + "See redis.certificateAuthority and redis.server.";
        }

        if (attempt.Stage == ConnectionAttemptStage.Tls)
        {
            return "cannot be reached over TLS. See redis.tls.";
        }

        return attempt.FailureType switch
        {
            ConnectionFailureType.AuthenticationFailure when hasUser =>
                $"refuses the user name or the password. See {section}.username and {section}.password.",
            ConnectionFailureType.AuthenticationFailure => $"refuses the password. See {section}.password.",
            ConnectionFailureType.Loading => "is still loading its data.",
            _ => "cannot be reached.",
        };
    }
}
