namespace Gateway.Bench;

/// <summary>How much of everything a run does.</summary>
internal sealed record Sizes
{
    /// <summary>Whether it is only about that everything works.</summary>
    public bool IsTiny { get; init; }

    /// <summary>The measured rounds over all fronts.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Seconds of one measurement with wrk.</summary>
    public int WrkSeconds { get; init; } = 3;

    /// <summary>
    /// Whether wrk sends all small requests; otherwise only the gateway's pings, and the others are counted.
    /// </summary>
    public bool UsesWrk { get; init; } = true;

    /// <summary>Requests of one measurement whose requests are counted.</summary>
    public int Requests { get; init; } = 2_000;

    /// <summary>Requests of one measurement against a front that hashes a password for each.</summary>
    public int SlowRequests { get; init; } = 48;

    /// <summary>Downloads of the blob of 1 MiB in one measurement.</summary>
    public int MediumBlobs { get; init; } = 64;

    /// <summary>Bytes of the large blob.</summary>
    public long LargeBlob { get; init; } = 256L << 20;

    /// <summary>Downloads of the large blob in one measurement.</summary>
    public int LargeBlobs { get; init; } = 2;

    /// <summary>Bytes of an upload.</summary>
    public int Upload { get; init; } = 64 << 20;

    /// <summary>Uploads of one measurement.</summary>
    public int Uploads { get; init; } = 2;

    /// <summary>Rules of the policy that every gateway has.</summary>
    public int Rules { get; init; } = 10_000;

    /// <summary>Rules with which the start of the server is measured.</summary>
    public IReadOnlyList<int> StartRules { get; init; } = [10, 10_000, 100_000];

    /// <summary>How often each start, reload and command is measured.</summary>
    public int Repeats { get; init; } = 3;

    /// <summary>Pulls and pushes of one measurement with a client.</summary>
    public int Copies { get; init; } = 3;

    /// <summary>Connections of one measurement that makes a new one for each request.</summary>
    public int NewConnections { get; init; } = 600;

    /// <summary>Idle connections, and connections that are closed again.</summary>
    public int IdleConnections { get; init; } = 2_000;

    /// <inheritdoc cref="IdleConnections"/>
    public int ClosedConnections { get; init; } = 5_000;

    /// <summary>Repositories of the catalog.</summary>
    public int Repositories { get; init; } = 10_000;

    /// <summary>Seconds after which a gateway does not know the names of the catalog any more.</summary>
    public int ForgetSeconds { get; init; } = 35;

    /// <summary>
    /// How often a front may do a workload before it is measured, until it compiles little meanwhile.
    /// </summary>
    public int WarmUps { get; init; } = 12;

    /// <summary>Seconds for which an idle server is watched.</summary>
    public int IdleSeconds { get; init; } = 40;

    /// <summary>Seconds that a server has to become quiet before its memory or its idle time is measured.</summary>
    public int QuietSeconds { get; init; } = 10;

    /// <summary>Everything in its smallest form: that it works, and not what it costs.</summary>
    public static Sizes Tiny { get; } = new()
    {
        IsTiny = true,
        Rounds = 1,
        WrkSeconds = 1,
        UsesWrk = false,
        Requests = 16,
        SlowRequests = 2,
        MediumBlobs = 4,
        LargeBlob = 1 << 20,
        LargeBlobs = 2,
        Upload = 1 << 20,
        Uploads = 1,
        Rules = 64,
        StartRules = [64],
        Repeats = 1,
        Copies = 1,
        NewConnections = 16,
        IdleConnections = 50,
        ClosedConnections = 50,
        Repositories = 100,
        ForgetSeconds = 0,
        WarmUps = 0,
        IdleSeconds = 1,
        QuietSeconds = 0,
    };
}
