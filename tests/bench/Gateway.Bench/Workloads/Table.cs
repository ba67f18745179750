namespace Gateway.Bench.Workloads;

/// <summary>The tables of the page, by the unit of their figures.</summary>
internal enum Table
{
    /// <summary>Small requests, in microseconds.</summary>
    Requests,

    /// <summary>Blobs and whole images, in milliseconds.</summary>
    Transfers,

    /// <summary>Ways to sign in, and new connections, in microseconds.</summary>
    SignIns,
}
