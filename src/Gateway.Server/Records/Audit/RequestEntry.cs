using System.Globalization;
using System.Net;
using System.Text.Json;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Records.Audit;

/// <summary>
/// A request and what was decided on it: a line when its answer has ended, and with <c>writeAhead</c> one before its
/// effect. Holds what the pipeline knew then, nothing of the connection.
/// </summary>
internal sealed class RequestEntry(DateTimeOffset time) : AuditEntry(time)
{
    private const int LongestTarget = 512;
    private const int LongestUserAgent = 256;
    private const int LongestMessage = 512;

    /// <inheritdoc/>
    public override string Event => Surface;

    /// <summary>
    /// What was asked: <c>registry</c>, <c>token</c>, <c>api</c>, or <c>http</c> for everything else.
    /// </summary>
    public required string Surface { get; init; }

    /// <summary>Whether this is the line before the effect.</summary>
    public bool IsBegin { get; init; }

    /// <summary>What names the request in answers and logs.</summary>
    public required string RequestId { get; init; }

    /// <summary>See <see cref="AuditDecision"/>.</summary>
    public required string Decision { get; init; }

    /// <summary>The client's address.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>The method as sent.</summary>
    public required string Method { get; init; }

    /// <summary>The path as sent, without its query; only where nothing better says what was asked.</summary>
    public string? Target { get; init; }

    /// <summary>The request, once understood.</summary>
    public RegistryRequest? Request { get; init; }

    /// <summary>What was asked, where it is no registry request.</summary>
    public string? Operation { get; init; }

    /// <summary>The registry's name.</summary>
    public string? Registry { get; init; }

    /// <summary>The caller, once known.</summary>
    public Principal? Principal { get; init; }

    /// <summary>How the credentials were judged.</summary>
    public SignInAttempt? SignIn { get; init; }

    /// <summary>The rule that decided.</summary>
    public RuleIdentity? Rule { get; init; }

    /// <summary>The limit that was hit: its rule's name.</summary>
    public string? Limit { get; init; }

    /// <summary>The refusal or failure that was answered.</summary>
    public RegistryError? Error { get; init; }

    /// <summary>What a token request came to.</summary>
    public TokenGrant? Grant { get; init; }

    /// <summary>The digest that the upstream named, where the request itself names none.</summary>
    public Digest? ResolvedDigest { get; init; }

    /// <summary>Whether the answer's body came out of the gateway's memory.</summary>
    public bool IsFromCache { get; init; }

    /// <summary>The answer's status.</summary>
    public int Status { get; init; }

    /// <summary>Bytes of the request's body that were read.</summary>
    public long BytesIn { get; init; }

    /// <summary>Bytes of the answer's body that were sent.</summary>
    public long BytesOut { get; init; }

    /// <summary>From the request's head to the answer's end.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Whether the answer broke off: the client left, or the upstream did.</summary>
    public bool IsAborted { get; init; }

    /// <summary>The <c>User-Agent</c> header.</summary>
    public string? UserAgent { get; init; }

    /// <inheritdoc/>
    protected override void WriteMembers(Utf8JsonWriter json)
    {
        json.WriteString("phase"u8, IsBegin ? "begin"u8 : "end"u8);
        json.WriteString("requestId"u8, RequestId);
        json.WriteString("decision"u8, Decision);
        json.WriteText("subject"u8, Principal?.Subject.ToString());
        WriteSignIn(json);
        WriteAddress(json);
        json.WriteText("method"u8, Method, 32);
        WriteRequest(json);
        WriteReason(json);
        WriteGrant(json);
        if (!IsBegin)
        {
            json.WriteNumber("status"u8, Status);
            json.WriteNumber("bytesIn"u8, BytesIn);
            json.WriteNumber("bytesOut"u8, BytesOut);
            WriteDuration(json);
            if (IsFromCache)
            {
                json.WriteBoolean("fromCache"u8, true);
            }

            if (IsAborted)
            {
                json.WriteBoolean("aborted"u8, true);
            }
        }

        json.WriteText("userAgent"u8, UserAgent, LongestUserAgent);
    }

    private void WriteAddress(Utf8JsonWriter json)
    {
        Span<byte> text = stackalloc byte[65]; // the longest address, with the name of an interface
        if (Address.TryFormat(text, out var length))
        {
            json.WriteString("address"u8, text[..length]);
        }
        else
        {
            json.WriteString("address"u8, Address.ToString());
        }
    }

    private void WriteDuration(Utf8JsonWriter json)
    {
        Span<byte> text = stackalloc byte[32];
        Duration.TotalMilliseconds.TryFormat(text, out var length, "0.###", CultureInfo.InvariantCulture);
        json.WritePropertyName("durationMs"u8);
        json.WriteRawValue(text[..length], skipInputValidation: true);
    }

    private void WriteSignIn(Utf8JsonWriter json)
    {
        if (SignIn is null && Principal is null or { Subject.IsAnonymous: true })
        {
            return;
        }

        json.WriteStartObject("signIn"u8);
        json.WriteString("form"u8, AuditNames.Of(SignIn?.Form ?? SignInForm.None));
        json.WriteString("outcome"u8, AuditNames.Of(SignIn?.Outcome ?? SignInOutcome.Accepted));
        json.WriteText("userName"u8, SignIn?.UserName);
        json.WriteText("reason"u8, SignIn?.Reason);
        if (Principal is { Subject.IsAnonymous: false } principal)
        {
            json.WriteText("method"u8, principal.Subject.Method);
            json.WriteText("credential"u8, principal.CredentialId);
        }

        json.WriteEndObject();
    }

    private void WriteRequest(Utf8JsonWriter json)
    {
        json.WriteText("operation"u8, Request is null ? Operation : AuditNames.Of(Request.Operation));
        json.WriteText("target"u8, Target, LongestTarget);
        json.WriteText("registry"u8, Registry);
        if (Request is null)
        {
            return;
        }

        json.WriteText("repository"u8, Request.Repository?.Value);
        json.WriteText("reference"u8, Request.Reference?.Value);
        var digest = Request.Digest ?? Request.Reference?.Digest ?? Request.Parameters.Digest
            ?? Request.Parameters.Mount
            ?? ResolvedDigest;
        json.WriteText("digest"u8, digest?.Value);
        json.WriteText("mountFrom"u8, Request.Parameters.From?.Value);
        json.WriteText("upload"u8, Request.Upload?.Value);
    }

    private void WriteReason(Utf8JsonWriter json)
    {
        if (Rule is not null)
        {
            // Its parts apart: a rule called "x (policy.yaml:1)" must not look like another one.
            json.WriteStartObject("rule"u8);
            json.WriteText("name"u8, Rule.Name);
            json.WriteText("file"u8, Rule.File);
            json.WriteNumber("line"u8, Rule.Line);
            json.WriteEndObject();
        }

        json.WriteText("limit"u8, Limit);
        if (Error is not null)
        {
            json.WriteStartObject("error"u8);
            json.WriteText("code"u8, Error.Code);
            json.WriteText("message"u8, Error.Message, LongestMessage);
            json.WriteEndObject();
        }
    }

    private void WriteGrant(Utf8JsonWriter json)
    {
        if (Grant is null)
        {
            return;
        }

        json.WriteStartObject("grant"u8);
        WriteScope(json, "asked"u8, Grant.Asked);
        WriteScope(json, "granted"u8, Grant.Granted);
        json.WriteBoolean("refreshToken"u8, Grant.HasRefreshToken);
        json.WriteEndObject();
    }

    // AccessScope itself is bounded: 64 repositories, 4096 characters.
    private static void WriteScope(Utf8JsonWriter json, ReadOnlySpan<byte> name, AccessScope scope)
    {
        json.WriteStartArray(name);
        foreach (var item in scope.Repositories)
        {
            json.WriteStringValue(item.ToString());
        }

        if (scope.Catalog)
        {
            json.WriteStringValue("registry:catalog:*"u8);
        }

        json.WriteEndArray();
    }
}
