namespace Gateway.Foundation.Caching;

/// <summary>A cache whose lookups are counted.</summary>
internal interface IMeasuredCache
{
    /// <summary>The counts.</summary>
    CacheLookups Lookups { get; }
}
