namespace Gateway.Server.Requests.Redis;

/// <summary>What kind of failure of Redis it is, for code that must tell it from others.</summary>
internal enum RedisFault
{
    /// <summary>It cannot be reached, does not answer, or failed in another way.</summary>
    Unavailable,

    /// <summary>It refuses the user name or the password.</summary>
    SignIn,

    /// <summary>It is a node of a cluster, and the settings or the cluster do not fit.</summary>
    Cluster,

    /// <summary>The Sentinels do not know the service.</summary>
    Sentinel,

    /// <summary>It has no memory left.</summary>
    Memory,

    /// <summary>It accepts no writes: a replica, an ACL rule, or a disk that failed.</summary>
    ReadOnly,
}
