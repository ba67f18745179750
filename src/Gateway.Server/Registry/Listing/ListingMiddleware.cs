using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Registry.Listing;

/// <summary>
/// Answers here what must not be forwarded as it is: ping, the catalog, and tag lists that rules filter.
/// </summary>
internal sealed class ListingMiddleware(RequestDelegate next, CatalogLister catalog, CatalogWalks walks, TagLister tags)
{
    // "{}" and a JSON type: what Distribution answers, and what docker's login takes for a registry.
    private static readonly ReadOnlyMemory<byte> EmptyObject = "{}"u8.ToArray();

    public Task InvokeAsync(HttpContext context)
    {
        var gateway = GatewayContext.Of(context);
        return gateway.Request.Operation switch
        {
            RegistryOperation.Ping => PageWriter.WriteAsync(context, EmptyObject, link: null),
            RegistryOperation.ListCatalog => WriteCatalogAsync(context, gateway),
            RegistryOperation.ListTags when gateway.Policy.DependsOnTag(gateway.Access) =>
                WriteTagsAsync(context, gateway),
            _ => next(context),
        };
    }

    private async Task WriteCatalogAsync(HttpContext context, GatewayContext gateway)
    {
        if (gateway.Request.Parameters.PageSize is > CatalogLister.GreatestPageSize)
        {
            await context.WriteErrorAsync(RegistryError.PaginationNumberInvalid(
                $"n is {gateway.Request.Parameters.PageSize}; use at most {CatalogLister.GreatestPageSize}"));
            return;
        }

        var (place, refusal) = await walks.EnterAsync(CatalogWalks.CallerOf(gateway), context.RequestAborted);
        using var held = place;
        var result = default(NamePage);
        if (place is not null)
        {
            (result, refusal) = await catalog.ListAsync(
                gateway.Host, gateway.Policy, gateway.Principal, gateway.ClientAddress, gateway.Request.Parameters,
                place, context.RequestAborted);
        }

        if (refusal is not null)
        {
            context.Response.Headers.RetryAfter = RetryAfter.SecondsOfOutage;
            await context.WriteErrorAsync(refusal);
            return;
        }

        await PageWriter.WriteNamesAsync(context, name: null, "repositories", "/v2/_catalog", result);
    }

    private async Task WriteTagsAsync(HttpContext context, GatewayContext gateway)
    {
        var repository = gateway.Request.Repository!;
        var result = await tags.ListAsync(
            gateway.Registry!, gateway.Policy, gateway.Access, gateway.Request.Parameters, context.RequestAborted);
        if (result is null)
        {
            await context.WriteErrorAsync(new RegistryError(
                "NAME_UNKNOWN", StatusCodes.Status404NotFound, $"the registry has no repository \"{repository}\""));
            return;
        }

        await PageWriter.WriteNamesAsync(
            context, repository.Value, "tags", $"/v2/{repository}/tags/list", result.Value);
    }
}
