using System.Xml.Linq;
using Gateway.Server.Requests.Redis;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace Gateway.Server.SignIn.Sessions;

/// <summary>Keys in a hash in Redis, for all replicas.</summary>
/// <remarks>
/// Not the framework's package for Redis: it would open its own connection, without the budget and the key prefix of
/// <see cref="RedisConnection"/>, and keeps a list, which earlier gateways would not find. The interface has no
/// asynchronous form; it is called at the first sign-in and once a day, within Redis's budget, and not by requests to
/// the registry.
/// </remarks>
internal sealed class RedisXmlRepository(RedisConnection redis) : IXmlRepository
{
    private const string Name = "data-protection";

    /// <inheritdoc/>
    public IReadOnlyCollection<XElement> GetAllElements() =>
        Task.Run(() => redis.EvaluateAsync(
            "return redis.call('HVALS', KEYS[1])",
            [redis.Key(Name)],
            [],
            static result => ((string?[]?)result ?? []).Select(static text => XElement.Parse(text!)).ToList(),
            CancellationToken.None)).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public void StoreElement(XElement element, string friendlyName) =>
        Task.Run(() => redis.EvaluateAsync(
            "return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])",
            [redis.Key(Name)],
            [friendlyName, element.ToString(SaveOptions.DisableFormatting)],
            CancellationToken.None)).GetAwaiter().GetResult();
}
