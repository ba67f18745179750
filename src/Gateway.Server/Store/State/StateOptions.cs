using Gateway.Foundation.Configuration;

namespace Gateway.Server.Store.State;

/// <summary>
/// Where the gateway stores what changes while it runs: tokens, their last use, revocations, and its keys.
/// </summary>
public sealed class StateOptions
{
    /// <summary>A folder that only the gateway can read; the gateway creates it if it is missing.</summary>
    [PathSetting]
    public string Folder { get; set; } = "state";

    /// <summary>
    /// The token store: <c>sqlite</c>, a file in the folder, for a single gateway; <c>redis</c> for several replicas.
    /// </summary>
    public StateStoreKind Store { get; set; } = StateStoreKind.Sqlite;
}

/// <summary>A kind of store.</summary>
public enum StateStoreKind
{
    /// <summary>A file, <c>gateway.db</c> in the state folder.</summary>
    Sqlite,

    /// <summary>The Redis of the section <c>redis</c>.</summary>
    Redis,
}
