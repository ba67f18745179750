using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Foundation.Yaml;

namespace Gateway.Server.Registry.Policies;

/// <summary>Reads <c>when</c>: addresses, time and method by their names, every other key as a claim.</summary>
internal sealed class RuleConditionsReader(ProblemCollector problems)
{
    private const string ClaimFix = "Write the claim's value, or a list of values; \"*\" matches any characters.";
    private const string MethodFix = "Write a method, such as htpasswd or \"ldap:*\".";
    private const string TimeFix = "Write a time of day between \"00:00\" and \"24:00\".";

    private static readonly string[] Reserved = ["claims", "address", "time", "method"];

    public RuleConditions Read(YamlNode value)
    {
        const string fix = "Write conditions below it, such as \"address: [ 10.0.0.0/8 ]\".";
        if (problems.Map(value, "when", fix) is not { } map)
        {
            return RuleConditions.None;
        }

        if (map.Entries is [])
        {
            problems.Add(map.Position, "when: no conditions", null, "Remove the key or name a condition.");
        }

        var claims = new List<ClaimCondition>();
        foreach (var entry in map.Entries.Where(static entry => !Reserved.Contains(entry.Key)))
        {
            // "adress: [ 10.0.0.0/8 ]" must not become a claim that nobody has.
            if (NearestName.Find(entry.Key, Reserved) is { } meant)
            {
                problems.Add(
                    entry.Position,
                    "when: unknown condition",
                    entry.Key,
                    $"Did you mean \"{meant}\"? A claim of this name goes under \"claims:\".");
            }
            else
            {
                claims.AddRange(ReadClaim(entry));
            }
        }

        if (map.Find("claims") is { } more
            && problems.Map(more, "claims", "Write \"name: value\" lines below it.") is { } moreClaims)
        {
            claims.AddRange(moreClaims.Entries.SelectMany(ReadClaim));
        }

        return new RuleConditions
        {
            Addresses = map.Find("address") is { } address ? [.. ReadAddresses(address)] : [],
            Time = map.Find("time") is { } time ? ReadTime(time) : null,
            Methods = map.Find("method") is { } method
                ? [.. problems.Texts(method, "method", MethodFix).Select(static item => new Glob(item.Text))]
                : [],
            Claims = [.. claims],
        };
    }

    private IEnumerable<ClaimCondition> ReadClaim(YamlEntry entry)
    {
        var (name, position, value) = entry;
        if (!SubjectSelector.IsName(name))
        {
            problems.Add(
                position, "when: not the name of a claim", name,
                    "Use 1 to 256 characters without leading or trailing spaces.");
            yield break;
        }

        var values = problems.Texts(value, name, ClaimFix).ToImmutableArray();
        foreach (var (at, text) in values.Where(static item => item.Text.Length > RepositoryPattern.MaxLength))
        {
            problems.Add(at, $"{name}: longer than {RepositoryPattern.MaxLength} characters", text, ClaimFix);
        }

        yield return new ClaimCondition(name, [.. values.Select(static item => new Glob(item.Text))]);
    }

    private IEnumerable<IPNetwork> ReadAddresses(YamlNode value)
    {
        const string fix = "Write an address or network, such as 10.0.0.0/8 or 2001:db8::/32.";
        foreach (var (at, text) in problems.Texts(value, "address", fix))
        {
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            var addressText = slash < 0 ? text : text[..slash];

            // The library also reads "10" as 0.0.0.10 and "010.0.0.1" as octal.
            if (!IPAddress.TryParse(addressText, out var address)
                || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != addressText))
            {
                problems.Add(at, "address: not an address or network", text, fix);
                continue;
            }

            if (address.IsIPv4MappedToIPv6)
            {
                problems.Add(
                    at,
                    "address: an IPv4 address in IPv6 form, which matches no client",
                    text,
                    $"Write {address.MapToIPv4()}.");
                continue;
            }

            var bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
            var length = bits;
            if (slash >= 0
                && (!int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out length)
                    || length > bits))
            {
                problems.Add(at, $"address: the part after the slash is not between 0 and {bits}", text, fix);
                continue;
            }

            var network = Network(address, length);
            if (!network.BaseAddress.Equals(address))
            {
                problems.Add(
                    at, "address: a network with bits set beyond its length", text, $"Did you mean \"{network}\"?");
                continue;
            }

            yield return network;
        }
    }

    private static IPNetwork Network(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes), length);
    }

    private TimeWindow? ReadTime(YamlNode value)
    {
        if (problems.Map(value, "time", "Write days, from, to and timezone below it.") is not { } map)
        {
            return null;
        }

        problems.CheckKeys(map, "days", "from", "to", "timezone");
        if (map.Find("days") is null && map.Find("from") is null && map.Find("to") is null)
        {
            problems.Add(
                map.Position,
                "time: no days and no hours",
                null,
                "Write \"days: [mon, tue]\" or \"from: '08:00'\".");
        }

        var from = map.Find("from") is { } fromValue ? ReadTimeOfDay(fromValue, "from") : TimeSpan.Zero;
        var to = map.Find("to") is { } toValue ? ReadTimeOfDay(toValue, "to") : TimeSpan.FromHours(24);
        if (from is not null && to is not null && (from == to || from == TimeSpan.FromHours(24)))
        {
            problems.Add(
                map.Position,
                "time: a window without length",
                null,
                "Set different times for \"from\" and \"to\"; a window may span midnight.");
        }

        return new TimeWindow(
            map.Find("days") is { } days ? [.. ReadDays(days)] : [],
            from ?? TimeSpan.Zero,
            to ?? TimeSpan.FromHours(24),
            map.Find("timezone") is { } zone ? ReadZone(zone) : TimeZoneInfo.Utc);
    }

    private IEnumerable<DayOfWeek> ReadDays(YamlNode value)
    {
        const string fix = "Write days as [mon, tue, wed, thu, fri, sat, sun].";
        foreach (var (at, text) in problems.Texts(value, "days", fix))
        {
            var day = Array.Find(
                Enum.GetValues<DayOfWeek>().Cast<DayOfWeek?>().ToArray(), day => IsNameOf(day!.Value, text));
            if (day is null)
            {
                problems.Add(at, "days: unknown day", text, fix);
            }
            else
            {
                yield return day.Value;
            }
        }
    }

    private static bool IsNameOf(DayOfWeek day, string text)
    {
        var name = day.ToString().ToLowerInvariant();
        return text == name || text == name[..3];
    }

    private TimeSpan? ReadTimeOfDay(YamlNode value, string key)
    {
        if (problems.Text(value, key, TimeFix) is not { } text)
        {
            return null;
        }

        if (text == "24:00")
        {
            return TimeSpan.FromHours(24);
        }

        if (!TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            problems.Add(value.Position, key + ": not a time of day", text, TimeFix);
            return null;
        }

        return time.ToTimeSpan();
    }

    private TimeZoneInfo ReadZone(YamlNode value)
    {
        const string fix = "Write a name that the system's tzdata has, such as \"Europe/Berlin\".";
        if (problems.Text(value, "timezone", fix) is { } text)
        {
            if (TimeZoneInfo.TryFindSystemTimeZoneById(text, out var zone))
            {
                return zone;
            }

            problems.Add(value.Position, "timezone: unknown time zone", text, fix);
        }

        return TimeZoneInfo.Utc;
    }
}
