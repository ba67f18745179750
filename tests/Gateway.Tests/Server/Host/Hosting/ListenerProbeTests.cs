using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gateway.Server.Host.Hosting;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Host.Hosting;

public sealed class ListenerProbeTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("*")]
    public void FindProblems_PortTaken_NamesSettingAddressAndFix(string address)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var taken = string.Create(CultureInfo.InvariantCulture, $"{address}:{((IPEndPoint)other.LocalEndpoint).Port}");

        var https = ListenerProbe.FindProblems(new ListenerOptions { Https = taken, Management = "" }, "gateway.yaml");
        var http = ListenerProbe.FindProblems(
            new ListenerOptions { Https = "127.0.0.1:0", Http = taken, Management = "" }, "gateway.yaml");
        var management = ListenerProbe.FindProblems(
            new ListenerOptions { Https = "127.0.0.1:0", Management = taken }, "gateway.yaml");

        foreach (var (problems, setting) in new[]
        {
            (https, "listen.https"),
            (http, "listen.http"),
            (management, "listen.management"),
        })
        {
            var text = Assert.Single(problems).ToString();
            Assert.StartsWith($"gateway.yaml: {setting}: the port is in use", text, StringComparison.Ordinal);
            Assert.Contains(taken, text, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', text);
        }
    }

    [Fact]
    public void FindProblems_AddressOfNoInterface_IsSaidToBeNone() => Assert.Contains(
        "this machine does not have the address",
        Assert.Single(
            ListenerProbe.FindProblems(
                new ListenerOptions { Https = "203.0.113.9:0", Management = "" }, "gateway.yaml")).ToString(),
        StringComparison.Ordinal);

    [Fact]
    public void FindProblems_FreePorts_AreNoneAndStayFree()
    {
        var options = new ListenerOptions
        {
            Https = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}"),
            Management = "*:0",
        };

        Assert.Empty(ListenerProbe.FindProblems(options, "gateway.yaml"));
        Assert.Empty(ListenerProbe.FindProblems(options, "gateway.yaml"));
    }
}
