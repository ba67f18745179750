using System.Net;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Proxying;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Requests.Routing;

namespace Gateway.Server.Registry.Contents;

/// <summary>Asks the upstream with a HEAD whether a tag still names what is kept of it.</summary>
internal sealed class TagQuestions(UpstreamClient upstream, UpstreamAuthorization authorization, TimeProvider time)
{
    private readonly TagChecks _checks = new(time);

    /// <summary>What it names now, asked after this call began.</summary>
    /// <remarks>
    /// The question is the client's own request but for the method: the same negotiation, and the same authorization.
    /// </remarks>
    public Task<TagCheck> AskAsync(HttpContext context, GatewayContext gateway, in ContentKey key)
    {
        var checks = _checks.AskAsync(key, () =>
        {
            var question = Describe(context, gateway);
            return () => SendAsync(question);
        });
        return checks.WaitAsync(context.RequestAborted);
    }

    private Question Describe(HttpContext context, GatewayContext gateway)
    {
        var request = gateway.Request with { Method = RegistryMethod.Head };
        var headers = context.Request.Headers;
        return new Question(
            gateway.Registry!,
            RegistryTarget.Build(request, gateway.Registry!.ToUpstream(request.Repository!)),
            [
                .. headers.Accept.Select(static value => KeyValuePair.Create("Accept", value)),
                .. headers.AcceptEncoding.Select(static value => KeyValuePair.Create("Accept-Encoding", value)),
                .. headers.UserAgent.Select(static value => KeyValuePair.Create("User-Agent", value)),
                KeyValuePair.Create("X-Forwarded-Proto", (string?)"https"),
                KeyValuePair.Create("X-Forwarded-Host", (string?)gateway.Host.Authority),
                KeyValuePair.Create("X-Forwarded-For", (string?)gateway.ClientAddress.ToString()),
                KeyValuePair.Create("X-Request-Id", (string?)gateway.RequestId),
                KeyValuePair.Create(
                    "Authorization", authorization.ForRequest(gateway.Registry, request, gateway.Subject)),
            ]);
    }

    private async Task<string?> SendAsync(Question question)
    {
        // Others may wait for the answer too: it does not depend on this client.
        await using var answer = await upstream.SendAsync(
            question.Registry, HttpMethod.Head, question.Target,
            headers =>
            {
                foreach (var (name, value) in question.Headers)
                {
                    if (value is not null)
                    {
                        headers.TryAddWithoutValidation(name, value);
                    }
                }
            },
            CancellationToken.None);
        return answer.Status switch
        {
            HttpStatusCode.OK => answer.Header("Docker-Content-Digest") ?? "",
            HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented => "",
            _ => null,
        };
    }

    private sealed record Question(
        UpstreamRegistry Registry, string Target, IReadOnlyList<KeyValuePair<string, string?>> Headers);
}
