// The least that YARP can be: TLS in front, one route, one destination. What the gateway does beyond this is its price.
//
//   Gateway.Bench.Yarp PORT UPSTREAM CERTIFICATE KEY
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Yarp.ReverseProxy.Configuration;

var (port, upstream) = (int.Parse(args[0], CultureInfo.InvariantCulture), args[1]);
using var certificate = X509Certificate2.CreateFromPemFile(args[2], args[3]);

var builder = WebApplication.CreateBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning); // else two lines a request
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.Limits.MaxRequestBodySize = null; // layers are larger than its 30 MB
    kestrel.Listen(IPAddress.Loopback, port, listener => listener.UseHttps(certificate));
});
builder.Services.AddReverseProxy().LoadFromMemory(
    [new RouteConfig { RouteId = "all", ClusterId = "registry", Match = new RouteMatch { Path = "{**any}" } }],
    [
        new ClusterConfig
        {
            ClusterId = "registry",
            Destinations = new Dictionary<string, DestinationConfig>
            {
                ["one"] = new DestinationConfig { Address = upstream },
            },
        },
    ]);

var app = builder.Build();
app.MapReverseProxy();
await app.RunAsync();
