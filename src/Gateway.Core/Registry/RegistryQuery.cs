using System.Buffers;
using System.Globalization;

namespace Gateway.Core.Registry;

/// <summary>
/// A query's known parameters, found by the registry's rules but not yet judged. See <see cref="TryParse"/>.
/// </summary>
/// <remarks>
/// The registry reads its query with Go's <c>net/url</c>: keys are case-sensitive, percent-encoded keys count, a pair
/// with <c>;</c> or a broken escape is dropped, the first of several wins. Others (older Go, ASP.NET, another
/// upstream) read the same text differently, so whatever two of them could read as different values is refused.
/// The rest is dropped, since the query that is forwarded is written anew.
/// </remarks>
internal ref struct RegistryQuery
{
    private const int MaxLastLength = 512;
    private const int MaxArtifactTypeLength = 255;
    private const int MaxArtifactTypes = 16;
    private const int MaxSpellingLength = 256;

    /// <summary>
    /// The longest ticket, in characters. With the longest name, id and digest it fits into a target, and the longest
    /// query of an upstream's that <see cref="RegistryLocation"/> accepts fits into it.
    /// </summary>
    internal const int MaxTicketLength = 6144;

    // base64url (RFC 4648, section 5): nothing in it that a client's URL library would rewrite.
    private static readonly SearchValues<char> TicketCharacters = SearchValues.Create(
        "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");

    private ReadOnlySpan<char> _mount;
    private ReadOnlySpan<char> _from;
    private ReadOnlySpan<char> _digest;
    private ReadOnlySpan<char> _ticket;
    private ReadOnlySpan<char> _pageSize;
    private ReadOnlySpan<char> _last;
    private List<string>? _artifactTypes;
    private Keys _seen;

    [Flags]
    private enum Keys
    {
        Unknown = 0,
        Mount = 1,
        From = 2,
        Digest = 4,
        Ticket = 8,
        PageSize = 16,
        Last = 32,
        ArtifactType = 64,
        Misspelled = 128,
    }

    /// <summary>Reads the parameters that the operation has.</summary>
    /// <param name="query">Visible ASCII, without the question mark.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="parameters">The parameters.</param>
    /// <returns>Why the query is refused; <see langword="null"/> where it is not.</returns>
    public static RegistryError? TryParse(
        ReadOnlySpan<char> query, RegistryOperation operation, out RegistryParameters parameters)
    {
        parameters = RegistryParameters.None;
        if (query.IsEmpty)
        {
            return null;
        }

        var parsed = default(RegistryQuery);
        return parsed.Collect(query) ?? operation switch
        {
            RegistryOperation.StartUpload => parsed.ReadStart(ref parameters),
            RegistryOperation.CompleteUpload => parsed.ReadUpload(withDigest: true, ref parameters),
            RegistryOperation.ReadUpload or RegistryOperation.AppendUpload or RegistryOperation.CancelUpload =>
                parsed.ReadUpload(withDigest: false, ref parameters),
            RegistryOperation.ListCatalog or RegistryOperation.ListTags => parsed.ReadPage(ref parameters),
            RegistryOperation.ListReferrers => parsed.ReadReferrers(ref parameters),
            _ => null,
        };
    }

    /// <summary>
    /// Whether some reader could find a parameter of an upload in an upstream's query. There it would come before
    /// the one that was decided, and the first of several wins.
    /// </summary>
    /// <param name="query">With its question mark; or empty.</param>
    public static bool NamesAnUploadParameter(ReadOnlySpan<char> query)
    {
        foreach (var range in query.SplitAny('?', '&', ';'))
        {
            var pair = query[range];
            var equals = pair.IndexOf('=');
            var name = equals < 0 ? pair : pair[..equals];
            if (name.Length <= MaxSpellingLength && IsOfAnUpload(Normalize(name)))
            {
                return true;
            }
        }

        return false;
    }

    private RegistryError? Collect(ReadOnlySpan<char> query)
    {
        foreach (var range in query.Split('&'))
        {
            var pair = query[range];
            if (pair.Contains(';'))
            {
                if (IsHidingAKey(pair))
                {
                    return RegistryError.BadRequest(
                        $"query {QuotedInput.Of(pair)} is ambiguous: separate parameters with \"&\" and send \";\" as "
                            + "%3B");
                }

                continue;
            }

            var equals = pair.IndexOf('=');
            var name = equals < 0 ? pair : pair[..equals];
            var value = equals < 0 ? default : pair[(equals + 1)..];
            var key = Recognize(name);
            if (key == Keys.Misspelled)
            {
                return RegistryError.BadRequest($"query parameter {QuotedInput.Of(name)} is ambiguous: "
                    + "spell mount, from, digest, _ticket, n and last in lower case and without percent-encoding");
            }

            if ((_seen & key & ~Keys.ArtifactType) != 0)
            {
                return RegistryError.BadRequest(
                    $"query parameter {QuotedInput.Of(name)} appears more than once: send it once");
            }

            _seen |= key;
            if (Keep(key, value) is { } error)
            {
                return error;
            }
        }

        return null;
    }

    private RegistryError? Keep(Keys key, ReadOnlySpan<char> raw)
    {
        if (key == Keys.Unknown)
        {
            return null;
        }

        if (!QueryEncoding.TryDecode(raw, out var value))
        {
            return RegistryError.BadRequest(
                $"query value {QuotedInput.Of(raw)} has a broken escape: write a percent sign as %25");
        }

        switch (key)
        {
            case Keys.Mount:
                _mount = value;
                break;
            case Keys.From:
                _from = value;
                break;
            case Keys.Digest:
                _digest = value;
                break;
            case Keys.Ticket:
                _ticket = value;
                break;
            case Keys.PageSize:
                _pageSize = value;
                break;
            case Keys.Last:
                _last = value;
                break;
            case Keys.ArtifactType:
                return AddArtifactType(value);
        }

        return null;
    }

    private RegistryError? AddArtifactType(ReadOnlySpan<char> value)
    {
        if (value.Length > MaxArtifactTypeLength || value.ContainsAnyExceptInRange(' ', '~'))
        {
            return RegistryError.BadRequest(
                $"artifactType {QuotedInput.Of(value)} is not a media type: use up to 255 ASCII characters");
        }

        _artifactTypes ??= [];
        if (_artifactTypes.Count == MaxArtifactTypes)
        {
            return RegistryError.BadRequest(
                $"artifactType appears more than {MaxArtifactTypes} times: ask in several requests");
        }

        _artifactTypes.Add(value.ToString());
        return null;
    }

    private readonly RegistryError? ReadStart(ref RegistryParameters parameters)
    {
        // A digest here means a whole blob in this request's body, which Distribution does not implement and which is
        // not sent on, as the body may also hold mount and from. Answered as an ordinary start, clients send a PUT.
        if (_seen.HasFlag(Keys.Digest) && !Digest.TryParse(_digest, out _))
        {
            return RegistryRequestParser.InvalidDigest(_digest);
        }

        // A mount that cannot be done becomes an ordinary upload, as the registry itself does it; clients go on from
        // there, while containerd gives up the whole push on an error.
        if (Digest.TryParse(_mount, out var mount) && RepositoryName.TryParse(_from, out var from))
        {
            parameters = new RegistryParameters { Mount = mount, From = from };
        }

        return null;
    }

    private readonly RegistryError? ReadUpload(bool withDigest, ref RegistryParameters parameters)
    {
        Digest? digest = null;
        if (withDigest && _seen.HasFlag(Keys.Digest) && !Digest.TryParse(_digest, out digest))
        {
            return RegistryRequestParser.InvalidDigest(_digest);
        }

        if (_ticket.Length > MaxTicketLength || _ticket.ContainsAnyExcept(TicketCharacters))
        {
            return RegistryError.BlobUploadInvalid(
                "the _ticket of the upload is not one the gateway issued: "
                + "use the Location of the last response unchanged");
        }

        if (digest is not null || !_ticket.IsEmpty)
        {
            parameters = new RegistryParameters
            {
                Digest = digest,
                Ticket = _ticket.IsEmpty ? null : _ticket.ToString(),
            };
        }

        return null;
    }

    private readonly RegistryError? ReadPage(ref RegistryParameters parameters)
    {
        long? pageSize = null;
        if (_seen.HasFlag(Keys.PageSize))
        {
            // Digits only, up to Go's int: about signs and greater numbers the registry's versions disagree (2.8 takes
            // its default, 3 refuses). What is too many for a page is said by who makes the page, as in the registry.
            // The alphabet is looked at, since TryParse skips NULs at the end.
            if (_pageSize.ContainsAnyExceptInRange('0', '9')
                || !long.TryParse(_pageSize, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return RegistryError.PaginationNumberInvalid(
                    $"page size n={QuotedInput.Of(_pageSize)} is not a number: send digits, {long.MaxValue} at most");
            }

            pageSize = number;
        }

        if (_last.Length > MaxLastLength || _last.ContainsAnyExceptInRange(' ', '~'))
        {
            return RegistryError.BadRequest(
                $"last={QuotedInput.Of(_last)} is not the name of an entry: send the last entry of the previous page");
        }

        if (pageSize is not null || !_last.IsEmpty)
        {
            parameters = new RegistryParameters
            {
                PageSize = pageSize,
                Last = _last.IsEmpty ? null : _last.ToString(),
            };
        }

        return null;
    }

    private readonly RegistryError? ReadReferrers(ref RegistryParameters parameters)
    {
        if (_artifactTypes is not null)
        {
            parameters = new RegistryParameters { ArtifactTypes = _artifactTypes };
        }

        return null;
    }

    private static Keys Recognize(ReadOnlySpan<char> name) => name switch
    {
        "mount" => Keys.Mount,
        "from" => Keys.From,
        "digest" => Keys.Digest,
        "_ticket" => Keys.Ticket,
        "n" => Keys.PageSize,
        "last" => Keys.Last,
        "artifactType" => Keys.ArtifactType,
        _ => IsAnotherSpelling(name) ? Keys.Misspelled : Keys.Unknown,
    };

    // Go's decoder drops a pair with a semicolon, older ones cut there: "ns=x;from=secret" is a mount to them.
    private static bool IsHidingAKey(ReadOnlySpan<char> pair)
    {
        foreach (var range in pair.Split(';'))
        {
            var part = pair[range];
            var equals = part.IndexOf('=');
            if ((Recognize(equals < 0 ? part : part[..equals]) & ~Keys.ArtifactType) != 0)
            {
                return true;
            }
        }

        return false;
    }

    // Whether some reader could take the name for one of ours: other case, blanks around it, percent-encoded (to Go
    // "%66rom" is "from") or encoded several times. One decoding triples a length at most, so long names are harmless.
    private static bool IsAnotherSpelling(ReadOnlySpan<char> name)
    {
        if (name.Length > MaxSpellingLength)
        {
            return false;
        }

        name = Normalize(name);
        return IsOfAnUpload(name)
            || name.Equals("n", StringComparison.OrdinalIgnoreCase)
            || name.Equals("last", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsOfAnUpload(ReadOnlySpan<char> name) =>
        name.Equals("mount", StringComparison.OrdinalIgnoreCase)
        || name.Equals("from", StringComparison.OrdinalIgnoreCase)
        || name.Equals("digest", StringComparison.OrdinalIgnoreCase)
        || name.Equals("_ticket", StringComparison.OrdinalIgnoreCase);

    private static ReadOnlySpan<char> Normalize(ReadOnlySpan<char> name)
    {
        int length;
        do
        {
            length = name.Length;
            QueryEncoding.TryDecode(name, out name);
        }
        while (name.Length < length);
        return name.Trim();
    }
}
