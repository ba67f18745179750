using System.Net;
using Gateway.Server.Requests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Server.Requests.Tls;

public sealed class HstsMiddlewareTests
{
    [Fact]
    public async Task Answer_OverTls_CarriesTheHeader() =>
        Assert.Equal("max-age=86400", await HeaderOfAsync("https", static _ => Task.CompletedTask));

    [Fact]
    public async Task Answer_ClearedByAnErrorHandler_CarriesTheHeader() =>
        Assert.Equal("max-age=86400", await HeaderOfAsync("https", static context =>
        {
            context.Response.Clear();
            context.Response.StatusCode = (int)HttpStatusCode.InternalServerError;
            return Task.CompletedTask;
        }));

    [Fact]
    public async Task Answer_UpstreamSentOneToo_CarriesOurs() =>
        Assert.Equal("max-age=86400", await HeaderOfAsync("https", static context =>
        {
            context.Response.Headers.StrictTransportSecurity = "max-age=0";
            return Task.CompletedTask;
        }));

    [Fact]
    public async Task Answer_OverPlainHttp_LacksTheHeader() =>
        Assert.Equal("", await HeaderOfAsync("http", static _ => Task.CompletedTask));

    [Fact]
    public async Task Answer_MaxAgeZero_LacksTheHeader() =>
        Assert.Equal("", await HeaderOfAsync("https", static _ => Task.CompletedTask, TimeSpan.Zero));

    private static async Task<string> HeaderOfAsync(string scheme, RequestDelegate answer, TimeSpan? maxAge = null)
    {
        await using var services = new ServiceCollection()
            .AddSingleton(new TlsOptions { HstsMaxAge = maxAge ?? TimeSpan.FromDays(1) })
            .BuildServiceProvider();
        var app = new ApplicationBuilder(services);
        app.UseGatewayHsts();
        app.Run(answer);
        var response = new StartableResponse();
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpResponseFeature>(response);
        context.Request.Scheme = scheme;

        await app.Build()(context);
        await response.StartAsync();

        return context.Response.Headers.StrictTransportSecurity.ToString();
    }

    private sealed class StartableResponse : HttpResponseFeature
    {
        private readonly Stack<(Func<object, Task> Callback, object State)> _starting = new();

        public override void OnStarting(Func<object, Task> callback, object state) => _starting.Push((callback, state));

        public async Task StartAsync()
        {
            foreach (var (callback, state) in _starting)
            {
                await callback(state);
            }
        }
    }
}
