namespace Gateway.Server.Registry.Listing;

/// <summary>All that the host knows of lists.</summary>
internal static class ListingServiceExtensions
{
    /// <summary>Registers what lists catalogs and tags.</summary>
    public static IServiceCollection AddListing(this IServiceCollection services) =>
        services.AddSingleton<CatalogWalks>()
            .AddSingleton<CatalogPages>()
            .AddSingleton<CatalogLister>()
            .AddSingleton<TagLister>();
}
