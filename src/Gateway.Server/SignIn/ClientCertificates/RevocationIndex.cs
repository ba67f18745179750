using System.Collections.Frozen;

namespace Gateway.Server.SignIn.ClientCertificates;

/// <summary>The revocation lists in force, by the authorities that signed them.</summary>
internal sealed class RevocationIndex
{
    private readonly FrozenDictionary<string, RevocationList[]> _byIssuer;
    private readonly FrozenDictionary<string, RevocationList[]>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    /// <param name="lists">Each with an id of its authority's key or name.</param>
    public RevocationIndex(IEnumerable<(string Issuer, RevocationList List)> lists)
    {
        _byIssuer = lists.GroupBy(static entry => entry.Issuer, static entry => entry.List, StringComparer.Ordinal)
            .ToFrozenDictionary(
                static group => group.Key, static group => group.Distinct().ToArray(), StringComparer.Ordinal);
        _lookup = _byIssuer.GetAlternateLookup<ReadOnlySpan<char>>();
        FirstExpiry = _byIssuer.Values.SelectMany(static all => all).Min(static list => list.NextUpdate)
            ?? DateTimeOffset.MaxValue;
    }

    /// <summary>When the first of them is due to be replaced.</summary>
    public DateTimeOffset FirstExpiry { get; }

    /// <summary>Whether an authority has a list.</summary>
    public bool Covers(CertificateLink link) =>
        _byIssuer.ContainsKey(link.IssuerKey) || _byIssuer.ContainsKey(link.IssuerName);

    /// <summary>Whether a certificate is on a list of its issuer's.</summary>
    public bool IsRevoked(ReadOnlySpan<char> issuerKey, ReadOnlySpan<char> issuerName, ReadOnlySpan<char> serial) =>
        Holds(issuerKey, serial) || Holds(issuerName, serial);

    /// <summary>When the first list of a certificate's issuer is due to be replaced; never where it has none.</summary>
    public DateTimeOffset ExpiryFor(CertificateLink link)
    {
        var byKey = _byIssuer.GetValueOrDefault(link.IssuerKey, []);
        var byName = _byIssuer.GetValueOrDefault(link.IssuerName, []);
        return byKey.Concat(byName).Min(static list => list.NextUpdate) ?? DateTimeOffset.MaxValue;
    }

    private bool Holds(ReadOnlySpan<char> issuer, ReadOnlySpan<char> serial)
    {
        if (!_lookup.TryGetValue(issuer, out var lists))
        {
            return false;
        }

        foreach (var list in lists)
        {
            if (list.Holds(serial))
            {
                return true;
            }
        }

        return false;
    }
}
