using System.Net;
using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Store.State;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Support;

/// <summary>What tests do with the token endpoint.</summary>
internal static class TokenAnswers
{
    /// <summary>An answer, read whole.</summary>
    public sealed record Reply(HttpStatusCode Status, string Body, HttpResponseMessage Http)
    {
        public JsonElement Json => JsonDocument.Parse(Body).RootElement;

        public string? Text(string name) => Json.TryGetProperty(name, out var value) ? value.GetString() : null;

        public string? Challenge =>
            Http.Headers.TryGetValues("WWW-Authenticate", out var values) ? values.Single() : null;
    }

    /// <summary>GET of the token endpoint.</summary>
    public static Task<Reply> AskAsync(
        this TestGateway gateway, string query, string? authorization = null,
        params (string Name, string Value)[] headers) =>
        ReplyAsync(gateway.SendAsync(
            HttpMethod.Get, "/token" + query, null, null,
            authorization is null ? headers : [("Authorization", authorization), .. headers]));

    /// <summary>POST of a form to the token endpoint.</summary>
    public static Task<Reply> PostAsync(this TestGateway gateway, params (string Name, string Value)[] form) =>
        ReplyAsync(gateway.SendAsync(HttpMethod.Post, "/token", null, new FormUrlEncodedContent(
            form.Select(static pair => KeyValuePair.Create(pair.Name, pair.Value)))));

    /// <summary>Any request, read whole.</summary>
    public static async Task<Reply> ReplyAsync(Task<HttpResponseMessage> request)
    {
        var answer = await request;
        return new Reply(answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer);
    }

    /// <summary>An access token as an <c>Authorization</c> header.</summary>
    public static async Task<string> BearerAsync(this TestGateway gateway, string scope, string? authorization = null)
    {
        var reply = await gateway.AskAsync(
            "?service=registry.test&scope=" + Uri.EscapeDataString(scope), authorization);
        Assert.Equal(HttpStatusCode.OK, reply.Status);
        return "Bearer " + reply.Text("token");
    }

    /// <summary>A request of the registry API with a header.</summary>
    public static Task<Reply> RegistryAsync(
        this TestGateway gateway, string method, string target, string? authorization) =>
        ReplyAsync(gateway.SendAsync(
            new HttpMethod(method), target, null, null,
            authorization is null ? [] : [("Authorization", authorization)]));

    /// <summary>Puts a personal token of a user into the store; its secret.</summary>
    public static async Task<(string Secret, string Id)> AddPersonalTokenAsync(
        this TestGateway gateway, string user, TimeSpan? life = null, params string[] limit)
    {
        CredentialLimit? parsed = null;
        Assert.True(limit.Length == 0 || CredentialLimit.TryParse(limit, out parsed, out _));
        var secret = CredentialSecret.Create(CredentialSecretKind.Personal).Reveal();
        var now = gateway.Services.GetRequiredService<TimeProvider>().GetUtcNow();
        var credential = new StoredCredential
        {
            Id = Guid.NewGuid().ToString("N"),
            Kind = CredentialKind.Personal,
            Hash = SecretHash.Of(secret),
            Name = "laptop",
            Owner = new Subject { Kind = SubjectKind.User, Name = user, Method = "htpasswd" },
            Limit = parsed,
            CreatedBy = "user:" + user,
            CreatedAt = now,
            ExpiresAt = now + (life ?? TimeSpan.FromDays(1)),
        };
        await gateway.Services.GetRequiredService<ICredentialStore>().AddAsync(credential, CancellationToken.None);
        return (secret, credential.Id);
    }
}
