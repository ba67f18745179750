using System.Collections.Frozen;

namespace Gateway.Server.Requests.Cors;

/// <summary>The origins of <c>cors.origins</c>, ready to be asked about each request.</summary>
internal sealed class AllowedOrigins
{
    /// <summary>The item that allows every origin.</summary>
    public const string Every = "*";

    private readonly FrozenSet<string> _exact;
    private readonly AllowedOrigin[] _domains;

    /// <param name="origins">Valid items.</param>
    public AllowedOrigins(IEnumerable<string> origins)
    {
        var items = origins.ToList();
        IncludesEvery = items.Contains(Every);
        var parsed = items.Where(static item => item != Every).Select(static item =>
            AllowedOrigin.TryParse(item, out var origin, out _, out _)
                ? origin
                : throw new FormatException("cors.origins was not validated")).ToList();
        _exact = parsed.Select(static origin => origin.Exact).OfType<string>().ToFrozenSet(StringComparer.Ordinal);
        _domains = [.. parsed.Where(static origin => origin.Exact is null)];
    }

    /// <summary>Whether every page there is may use the registry.</summary>
    public bool IncludesEvery { get; }

    /// <summary>Whether an origin is listed as such, not matched by a wildcard.</summary>
    /// <param name="origin">What a browser sent; untrusted.</param>
    public bool Names(string origin) => _exact.Contains(origin);

    /// <summary>Whether pages of an origin may use the registry.</summary>
    /// <param name="origin">What a browser sent; untrusted.</param>
    public bool Contains(string origin)
    {
        if (IncludesEvery || _exact.Contains(origin))
        {
            return true;
        }

        foreach (var domain in _domains)
        {
            if (domain.Matches(origin))
            {
                return true;
            }
        }

        return false;
    }
}
