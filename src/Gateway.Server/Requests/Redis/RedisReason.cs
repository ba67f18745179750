using StackExchange.Redis;

namespace Gateway.Server.Requests.Redis;

/// <summary>Why Redis cannot be used.</summary>
/// <param name="Text">In words for the operator: a sentence, or its part after the server.</param>
/// <param name="Fault">What kind of failure it is.</param>
internal sealed record RedisReason(string Text, RedisFault Fault = RedisFault.Unavailable)
{
    /// <summary>It does not answer.</summary>
    public static readonly RedisReason Unreachable = new("cannot be reached.");

    /// <summary>Why an attempt to connect failed: the part of a sentence after the server.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="section">Where the settings of that server are.</param>
    /// <param name="hasUser">Whether a user name is set there.</param>
    public static RedisReason Explain(ConnectionAttemptCompletedEventArgs attempt, string section, bool hasUser)
    {
        if (attempt.ServerCertificateAccepted == false)
        {
            return new RedisReason(
                "cannot be reached: its certificate is not trusted, or is for another name. "
                    + "See redis.certificateAuthority and redis.server.");
        }

        if (attempt.Stage == ConnectionAttemptStage.Tls)
        {
            return new RedisReason("cannot be reached over TLS. See redis.tls.");
        }

        return attempt.FailureType switch
        {
            ConnectionFailureType.AuthenticationFailure when hasUser =>
                new RedisReason(
                    $"refuses the user name or the password. See {section}.username and {section}.password.",
                    RedisFault.SignIn),
            ConnectionFailureType.AuthenticationFailure =>
                new RedisReason($"refuses the password. See {section}.password.", RedisFault.SignIn),
            ConnectionFailureType.Loading => new RedisReason("is still loading its data."),
            _ => Unreachable,
        };
    }
}
