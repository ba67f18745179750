using System.Reflection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Server.Host.Hosting;

/// <summary>Operators filter and alert by event ids, so each is one message's own.</summary>
public sealed class EventIdTests
{
    [Fact]
    public void EveryIdIsUsedOnce()
    {
        string[] assemblies = ["Gateway.Foundation", "Gateway.Server", "Gateway.Client", "gateway"];
        var ids = (
            from name in assemblies
            from type in Assembly.Load(name).GetTypes()
            from method in type.GetMethods(
                BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            from attribute in method.GetCustomAttributes<LoggerMessageAttribute>()
            select (attribute.EventId, Where: $"{type.FullName}.{method.Name}")).ToList();

        Assert.InRange(ids.Count, 80, 1000); // it sees them
        Assert.Empty(ids.GroupBy(static one => one.EventId).Where(static one => one.Count() > 1)
            .Select(static one => $"{one.Key}: {string.Join(", ", one.Select(static id => id.Where))}"));
    }
}
