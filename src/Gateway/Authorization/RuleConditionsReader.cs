using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gateway.Core.Authorization;

namespace Gateway.Authorization;

/// <summary>Reads <c>when</c>: addresses, time and method by their names, every other key as a claim.</summary>
internal static class RuleConditionsReader
{
    private const string ClaimCure = "Write the claim's value, or a list of values; \"*\" stands for any characters.";
    private const string MethodCure = "Write a method, such as htpasswd or \"ldap:*\".";
    private const string TimeCure = "Write a time of day between \"00:00\" and \"24:00\".";

    private static readonly string[] Reserved = ["claims", "address", "time", "method"];

    public static RuleConditions Read(YamlFile file, YamlValue value)
    {
        if (file.Map(value, "when", "Write conditions below it, such as \"address: [ 10.0.0.0/8 ]\".") is not { } map)
        {
            return RuleConditions.None;
        }

        if (map.Entries is [])
        {
            file.Report(map, "when: no conditions", null, "Remove the key or name a condition.");
        }

        var keys = file.Entries(map);
        var claims = new List<ClaimCondition>();
        foreach (var (key, claim) in map.Entries.Where(static entry => !Reserved.Contains(entry.Key.Text)))
        {
            // "adress: [ 10.0.0.0/8 ]" must not become a claim that nobody has.
            if (NearestName.Of(key.Text, Reserved) is { } meant)
            {
                file.Report(
                    key,
                    "when: unknown condition",
                    key.Text,
                    $"Did you mean \"{meant}\"? A claim of this name goes under \"claims:\".");
            }
            else
            {
                claims.AddRange(ReadClaim(file, key, claim));
            }
        }

        if (keys.TryGetValue("claims", out var more)
            && file.Map(more, "claims", "Write \"name: value\" lines below it.") is { } moreClaims)
        {
            file.Entries(moreClaims);
            claims.AddRange(moreClaims.Entries.SelectMany(entry => ReadClaim(file, entry.Key, entry.Value)));
        }

        return new RuleConditions
        {
            Addresses = keys.TryGetValue("address", out var address) ? [.. ReadAddresses(file, address)] : [],
            Time = keys.TryGetValue("time", out var time) ? ReadTime(file, time) : null,
            Methods = keys.TryGetValue("method", out var method)
                ? [.. file.Texts(method, "method", MethodCure).Select(static item => new Glob(item.Text))]
                : [],
            Claims = [.. claims],
        };
    }

    private static IEnumerable<ClaimCondition> ReadClaim(YamlFile file, YamlText name, YamlValue value)
    {
        if (!SubjectSelector.IsName(name.Text))
        {
            file.Report(
                name, "when: not the name of a claim", name.Text, "Use 1 to 256 characters without outer spaces.");
            yield break;
        }

        var values = file.Texts(value, name.Text, ClaimCure).ToImmutableArray();
        foreach (var (at, text) in values.Where(static item => item.Text.Length > RepositoryPattern.MaxLength))
        {
            file.Report(at, $"{name.Text}: longer than {RepositoryPattern.MaxLength} characters", text, ClaimCure);
        }

        yield return new ClaimCondition(name.Text, [.. values.Select(static item => new Glob(item.Text))]);
    }

    private static IEnumerable<IPNetwork> ReadAddresses(YamlFile file, YamlValue value)
    {
        const string cure = "Write an address or network, such as 10.0.0.0/8 or 2001:db8::/32.";
        foreach (var (at, text) in file.Texts(value, "address", cure))
        {
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            var addressText = slash < 0 ? text : text[..slash];

            // The library also reads "10" as 0.0.0.10 and "010.0.0.1" as octal.
            if (!IPAddress.TryParse(addressText, out var address)
                || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != addressText))
            {
                file.Report(at, "address: not an address or network", text, cure);
                continue;
            }

            if (address.IsIPv4MappedToIPv6)
            {
                file.Report(
                    at,
                    "address: an IPv4 address written as IPv6, which no client has",
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
                file.Report(at, $"address: the part after the slash is not 0 to {bits}", text, cure);
                continue;
            }

            var network = Network(address, length);
            if (!network.BaseAddress.Equals(address))
            {
                file.Report(
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

    private static TimeWindow? ReadTime(YamlFile file, YamlValue value)
    {
        if (file.Map(value, "time", "Write days, from, to and timezone below it.") is not { } map)
        {
            return null;
        }

        var keys = file.Keys(map, "days", "from", "to", "timezone");
        if (!keys.ContainsKey("days") && !keys.ContainsKey("from") && !keys.ContainsKey("to"))
        {
            file.Report(map, "time: no days and no hours", null, "Write \"days: [mon, tue]\" or \"from: '08:00'\".");
        }

        var from = keys.TryGetValue("from", out var fromValue) ? ReadTimeOfDay(file, fromValue, "from") : TimeSpan.Zero;
        var to = keys.TryGetValue("to", out var toValue) ? ReadTimeOfDay(file, toValue, "to") : TimeSpan.FromHours(24);
        if (from == to || from == TimeSpan.FromHours(24))
        {
            file.Report(
                map,
                "time: a window without length",
                null,
                "Let \"from\" and \"to\" differ; a window may go over midnight.");
        }

        return new TimeWindow(
            keys.TryGetValue("days", out var days) ? [.. ReadDays(file, days)] : [],
            from,
            to,
            keys.TryGetValue("timezone", out var zone) ? ReadZone(file, zone) : TimeZoneInfo.Utc);
    }

    private static IEnumerable<DayOfWeek> ReadDays(YamlFile file, YamlValue value)
    {
        const string cure = "Write days as [mon, tue, wed, thu, fri, sat, sun].";
        foreach (var (at, text) in file.Texts(value, "days", cure))
        {
            var day = Array.Find(
                Enum.GetValues<DayOfWeek>().Cast<DayOfWeek?>().ToArray(),
                day => day.ToString()!.ToLowerInvariant() is var name && (text == name || text == name[..3]));
            if (day is null)
            {
                file.Report(at, "days: no such day", text, cure);
            }
            else
            {
                yield return day.Value;
            }
        }
    }

    private static TimeSpan ReadTimeOfDay(YamlFile file, YamlValue value, string key)
    {
        if (file.Text(value, key, TimeCure) is not { } text)
        {
            return TimeSpan.Zero;
        }

        if (text == "24:00")
        {
            return TimeSpan.FromHours(24);
        }

        if (!TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            file.Report(value, key + ": not a time of day", text, TimeCure);
        }

        return time.ToTimeSpan();
    }

    private static TimeZoneInfo ReadZone(YamlFile file, YamlValue value)
    {
        const string cure = "Write a name such as \"Europe/Berlin\"; the system's tzdata must know it.";
        if (file.Text(value, "timezone", cure) is { } text)
        {
            if (TimeZoneInfo.TryFindSystemTimeZoneById(text, out var zone))
            {
                return zone;
            }

            file.Report(value, "timezone: no such time zone here", text, cure);
        }

        return TimeZoneInfo.Utc;
    }
}
