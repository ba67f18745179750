using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Server.Registry.Listing;

/// <summary>A catalog in pages as Distribution gives them: 400 above its limit, a link while a page is full.</summary>
internal sealed class UpstreamPages
{
    private readonly IReadOnlyList<string> _names;
    private readonly int _limit;
    private readonly IComparer<string> _order;
    private long _given;

    private UpstreamPages(IReadOnlyList<string> names, int limit, IComparer<string> order) =>
        (_names, _limit, _order) = (names, limit, order);

    /// <summary>How many names it has given in all.</summary>
    public long Given => Volatile.Read(ref _given);

    /// <param name="names">The names, in the order of the catalog.</param>
    /// <param name="limit">The greatest page.</param>
    public static Func<HttpContext, Task> Of(IReadOnlyList<string> names, int limit) =>
        new UpstreamPages(names, limit, StringComparer.Ordinal).RespondAsync;

    /// <param name="names">The names, in any order.</param>
    /// <param name="order">The order of the catalog.</param>
    public static UpstreamPages Sorted(IEnumerable<string> names, IComparer<string> order) =>
        new([.. names.Order(order)], 1_000, order);

    public Task RespondAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var size = query["n"].Count > 0
            ? int.Parse(query["n"]!, CultureInfo.InvariantCulture)
            : Math.Min(100, _limit);
        if (size > _limit)
        {
            context.Response.StatusCode = 400;
            return context.Response.WriteAsync("""{"errors":[{"code":"PAGINATION_NUMBER_INVALID"}]}""");
        }

        var last = query["last"].ToString();
        var page = _names.Where(name => last.Length == 0 || _order.Compare(name, last) > 0).Take(size).ToList();
        Interlocked.Add(ref _given, page.Count);
        if (page.Count == size)
        {
            context.Response.Headers.Link = $"</v2/_catalog?last={Uri.EscapeDataString(page[^1])}&n="
                + $"{size}>; rel=\"next\"";
        }

        return context.Response.WriteAsync(JsonSerializer.Serialize(new { repositories = page }));
    }
}
