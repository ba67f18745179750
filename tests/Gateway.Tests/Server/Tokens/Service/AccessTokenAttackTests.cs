using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.Store.Keys;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Tokens.Service;

/// <summary>
/// What has been accepted by some verifier of JWTs somewhere. Each line is refused with its reason and without an
/// exception; the token that it was made from is accepted before and after.
/// </summary>
public sealed class AccessTokenAttackTests
{
    private const string BadForm = "it does not have three parts";
    private const string BadCharacter = "it holds a character outside base64url";
    private const string BadHeader = "its header is not in the form that this gateway writes: typ, alg and kid";
    private const string UnreadableHeader = "its header is not base64url, or too long";
    private const string WrongKey = "its kid names no key of this gateway's";
    private const string WrongAlgorithm = "its alg is not its key's";
    private const string WrongSignature = "its signature is wrong";
    private const string UnreadableSignature = "its signature is not base64url, or too long";
    private const string BadPayload = "its payload is not in the form that this gateway writes";

    private static readonly Dictionary<SigningAlgorithm, Target> Targets = new()
    {
        [SigningAlgorithm.ES256] = new Target(SigningAlgorithm.ES256),
        [SigningAlgorithm.RS256] = new Target(SigningAlgorithm.RS256),
    };

    private static readonly Dictionary<string, (string Reason, Func<Target, string> Make)> Forms = new()
    {
        ["empty"] = (BadForm, static _ => ""),
        ["one part"] = (BadForm, static t => t.Header),
        ["two parts"] = (BadForm, static t => $"{t.Header}.{t.Payload}"),
        ["four parts"] = (BadForm, static t => t.Token + "." + t.Signature),
        ["five-part JWE"] = (
            "it has five parts, like an encrypted token (JWE), and none is ever decrypted",
            static _ => Forge.Encode("""{"alg":"dir","enc":"A256GCM","zip":"DEF"}""") + "..AAAA.AAAA.AAAA"),
        ["JWE around a token"] = (
            "it has five parts, like an encrypted token (JWE), and none is ever decrypted",
            static t => t.Token + ".AAAA.AAAA"),
        ["six parts"] = (BadForm, static t => t.Token + ".a.b.c"),
        ["only dots"] = (BadForm, static _ => ".."),
        ["empty header"] = (BadForm, static t => $".{t.Payload}.{t.Signature}"),
        ["empty payload"] = (BadForm, static t => $"{t.Header}..{t.Signature}"),
        ["empty signature"] = (BadForm, static t => $"{t.Header}.{t.Payload}."),
        ["parts swapped"] = (BadHeader, static t => $"{t.ShortPayload}.{t.Header}.{t.Signature}"),
        ["a JSON serialization"] =
            (BadForm,
                static t =>
                    $$"""{"protected":"{{t.Header}}","payload":"{{t.Payload}}","signature":"{{t.Signature}}"}"""),
        ["1 MiB of one part"] =
            ("it is too long", static t => $"{t.Header}.{t.Payload}.{new string('A', 1024 * 1024)}"),
        ["1 MiB of dots"] = ("it is too long", static _ => new string('.', 1024 * 1024)),
        ["a byte over the limit"] = ("it is too long", static t => t.Token.PadRight((16 * 1024) + 1, 'A')),
        ["16 KiB signature"] = (UnreadableSignature, static t => t.Token.PadRight(16 * 1024, 'A')),
        ["16 KiB header"] = (UnreadableHeader, static t => new string('A', 12 * 1024) + $".{t.Payload}.{t.Signature}"),
        ["non-ASCII that looks alike"] = ("it holds a character outside ASCII", static t => "е" + t.Token[1..]),
        ["fullwidth dot"] = ("it holds a character outside ASCII", static t => t.Token.Replace('.', '．')),
        ["NUL at the end"] = (BadCharacter, static t => t.Token + "\0"),
        ["space at the end"] = (BadCharacter, static t => t.Token + " "),
        ["line break inside"] = (BadCharacter, static t => t.Token.Insert(30, "\n")),
        ["tab before"] = (BadCharacter, static t => "\t" + t.Token),
        ["padded header"] = (BadCharacter, static t => $"{t.Header}=.{t.Payload}.{t.Signature}"),
        ["padded signature"] = (BadCharacter, static t => t.Token + "=="),
        ["escaped padding"] = (BadCharacter, static t => t.Token + "%3D"),
        ["the other base64 alphabet"] = (BadCharacter, static t => t.Token[..^4] + "+/+/"),
        ["a second token behind a comma"] = (
            "it has five parts, like an encrypted token (JWE), and none is ever decrypted",
            static t => t.Token + "," + t.Token),
        ["bits behind the last byte of the signature"] = (UnreadableSignature, static t => WithTrailingBits(t.Token)),
        ["bits behind the last byte of the header"] = (
            UnreadableHeader, static t => $"{WithTrailingBits(t.Header)}.{t.Payload}.{t.Signature}"),
        ["length that base64 cannot have"] = (UnreadableSignature, static t => t.Token[..^1]),
        ["truncated signature"] = (WrongSignature, static t => $"{t.Header}.{t.Payload}."
            + $"{Forge.Encode(t.SignatureBytes[..^1])}"),
        ["half a signature"] = (WrongSignature, static t => $"{t.Header}.{t.Payload}."
            + $"{Forge.Encode(t.SignatureBytes[..32])}"),
        ["one byte of signature"] = (WrongSignature, static t => $"{t.Header}.{t.Payload}.AA"),
        ["signature with a byte more"] = (WrongSignature, static t => $"{t.Header}.{t.Payload}."
            + $"{Forge.Encode([.. t.SignatureBytes, 0])}"),
        ["signature with a byte before"] = (WrongSignature, static t => $"{t.Header}.{t.Payload}."
            + $"{Forge.Encode([0, .. t.SignatureBytes])}"),
        ["signature of zeros"] = (WrongSignature, static t => $"{t.Header}.{t.Payload}."
            + $"{Forge.Encode(new byte[t.SignatureBytes.Length])}"),
        ["signature of ones"] = (WrongSignature, static t => $"{t.Header}.{t.Payload}."
            + $"{Forge.Encode([.. Enumerable.Repeat((byte)0xff, t.SignatureBytes.Length)])}"),
        ["signature of another token"] = (WrongSignature, static t => $"{t.Header}.{t.Payload}."
            + $"{Forge.Parts(t.Other).Signature}"),
        ["payload of another token"] = (WrongSignature, static t => $"{t.Header}.{Forge.Parts(t.Other).Payload}."
            + $"{t.Signature}"),
        ["one letter of the payload"] =
            (WrongSignature,
                static t =>
                    $"{t.Header}.{(t.Payload[5] == 'A' ? t.Payload[..5] + 'B' : t.Payload[..5] + 'A')}"
                    + $"{t.Payload[6..]}.{t.Signature}"),
        ["signed by nobody we know, under our kid"] =
            (WrongSignature, static t => Forge.Signed(t.Foreign, t.HeaderText, t.PayloadText)),
    };

    private static readonly Dictionary<string, (string Reason, Func<Target, string> Make)> Headers = new()
    {
        ["alg none, empty signature"] = (BadForm, static t => $"{Forge.Encode("""{"alg":"none"}""")}.{t.Payload}."),
        ["alg none, our kid, empty signature"] =
            (BadForm, static t => $"{Forge.Encode(Forge.Header("none", t.Key.Id))}.{t.Payload}."),
        ["alg none, our kid, some signature"] =
            (WrongAlgorithm, static t => $"{Forge.Encode(Forge.Header("none", t.Key.Id))}.{t.Payload}.AAAA"),
        ["alg none, our signature"] =
            (WrongAlgorithm, static t => Forge.Signed(t.Key, Forge.Header("none", t.Key.Id), t.PayloadText)),
        ["alg None"] = (WrongAlgorithm, static t => Forge.Signed(t.Key, Forge.Header("None", t.Key.Id), t.PayloadText)),
        ["alg nOnE"] = (WrongAlgorithm, static t => Forge.Signed(t.Key, Forge.Header("nOnE", t.Key.Id), t.PayloadText)),
        ["alg empty"] = (WrongAlgorithm, static t => Forge.Signed(t.Key, Forge.Header("", t.Key.Id), t.PayloadText)),
        ["alg in lower case"] =
            (WrongAlgorithm,
                static t => Forge.Signed(
                    t.Key, Forge.Header(t.Key.Algorithm.ToString().ToLowerInvariant(), t.Key.Id), t.PayloadText)),
        ["alg in mixed case"] =
            (WrongAlgorithm,
                static t => Forge.Signed(
                    t.Key, Forge.Header(t.Key.Algorithm == SigningAlgorithm.ES256 ? "Es256" : "Rs256", t.Key.Id),
                    t.PayloadText)),
        ["alg of the other kind of key"] =
            (WrongAlgorithm,
                static t => Forge.Signed(
                    t.Key, Forge.Header(t.Key.Algorithm == SigningAlgorithm.ES256 ? "RS256" : "ES256", t.Key.Id),
                    t.PayloadText)),
        ["alg of the same key, longer"] =
            (WrongAlgorithm,
                static t => Forge.Signed(
                    t.Key, Forge.Header(t.Key.Algorithm == SigningAlgorithm.ES256 ? "ES384" : "RS512", t.Key.Id),
                    t.PayloadText)),
        ["alg PS256"] =
            (WrongAlgorithm, static t => Forge.Signed(t.Key, Forge.Header("PS256", t.Key.Id), t.PayloadText)),
        ["alg EdDSA"] =
            (WrongAlgorithm, static t => Forge.Signed(t.Key, Forge.Header("EdDSA", t.Key.Id), t.PayloadText)),
        ["HS256 with the public key's DER"] = (WrongAlgorithm, static t => Hmac(t, t.Key.PublicKey)),
        ["HS256 with the public key's PEM"] = (WrongAlgorithm, static t => Hmac(t, Forge.Utf8(PemOf(t.Key)))),
        ["HS256 with the public key's PEM and line end"] =
            (WrongAlgorithm, static t => Hmac(t, Forge.Utf8(PemOf(t.Key) + "\n"))),
        ["HS256 with the public key as JWK"] =
            (WrongAlgorithm,
                static t => Hmac(
                    t, Forge.Utf8($$"""{"kty":"EC","kid":"{{t.Key.Id}}","x":"{{Forge.Encode(t.Key.PublicKey)}}"}"""))),
        ["HS256 with the kid"] = (WrongAlgorithm, static t => Hmac(t, Forge.Utf8(t.Key.Id))),
        ["HS256 with nothing"] = (WrongAlgorithm, static t => Hmac(t, [])),
        ["HMAC under the right alg"] =
            (WrongSignature,
                static t => Forge.WithSignature(
                    t.HeaderText, t.PayloadText, data => HMACSHA256.HashData(t.Key.PublicKey, data))),
        ["kid of another of our keys"] =
            (WrongSignature,
                static t => Forge.Signed(
                    t.Key, Forge.Header(t.Second.Algorithm.ToString(), t.Second.Id), t.PayloadText)),
        ["kid of a stranger"] = (WrongKey, static t => Forge.Signed(t.Foreign, Forge.Header(t.Foreign), t.PayloadText)),
        ["kid in lower case"] = (WrongKey, static t => WithKid(t, t.Key.Id.ToLowerInvariant())),
        ["kid cut"] = (WrongKey, static t => WithKid(t, t.Key.Id[..^1])),
        ["kid empty"] = (WrongKey, static t => WithKid(t, "")),
        ["kid is a path"] = (WrongKey, static t => WithKid(t, "../../../../dev/null")),
        ["kid is a file"] = (WrongKey, static t => WithKid(t, "/etc/hostname")),
        ["kid is SQL"] = (BadHeader, static t => WithKid(t, "x' UNION SELECT 'key' --")),
        ["kid is SQL without spaces"] = (WrongKey, static t => WithKid(t, "x'/**/UNION/**/SELECT/**/'key'--")),
        ["kid is a command"] = (BadHeader, static t => WithKid(t, "| id")),
        ["kid with NUL"] = (BadHeader, static t => WithKid(t, t.Key.Id + "\0")),
        ["kid with escaped NUL"] = (BadHeader, static t => WithKid(t, t.Key.Id + "\\u0000")),
        ["kid with an escaped letter"] = (BadHeader, static t => WithKid(t, "\\u0041" + t.Key.Id[1..])),
        ["kid is a number"] =
            (BadHeader, static t => WithHeader(t, $$"""{"typ":"JWT","alg":"{{t.Key.Algorithm}}","kid":1}""")),
        ["kid is an array"] =
            (BadHeader,
                static t => WithHeader(t, $$"""{"typ":"JWT","alg":"{{t.Key.Algorithm}}","kid":["{{t.Key.Id}}"]}""")),
        ["kid is null"] =
            (BadHeader, static t => WithHeader(t, $$"""{"typ":"JWT","alg":"{{t.Key.Algorithm}}","kid":null}""")),
        ["no kid"] = (BadHeader, static t => WithHeader(t, $$"""{"typ":"JWT","alg":"{{t.Key.Algorithm}}"}""")),
        ["no alg"] = (BadHeader, static t => WithHeader(t, $$"""{"typ":"JWT","kid":"{{t.Key.Id}}"}""")),
        ["no typ"] = (BadHeader, static t => WithHeader(t, $$"""{"alg":"{{t.Key.Algorithm}}","kid":"{{t.Key.Id}}"}""")),
        ["typ at+jwt"] =
            (BadHeader, static t => WithHeader(t, t.HeaderText.Replace("JWT", "at+jwt", StringComparison.Ordinal))),
        ["typ in lower case"] =
            (BadHeader, static t => WithHeader(t, t.HeaderText.Replace("JWT", "jwt", StringComparison.Ordinal))),
        ["crit"] = (BadHeader, static t => WithMember(t, "\"crit\":[\"exp\"]")),
        ["b64 false"] = (BadHeader, static t => WithMember(t, "\"b64\":false,\"crit\":[\"b64\"]")),
        ["zip"] = (BadHeader, static t => WithMember(t, "\"zip\":\"DEF\"")),
        ["cty"] = (BadHeader, static t => WithMember(t, "\"cty\":\"JWT\"")),
        ["jku"] = (UnreadableHeader, static t => WithMember(t, "\"jku\":\"https://evil.example/jwks.json\"")),
        ["x5u"] = (UnreadableHeader, static t => WithMember(t, "\"x5u\":\"https://evil.example/x.pem\"")),
        ["embedded jwk, signed by it"] =
            (UnreadableHeader,
                static t => Forge.Signed(
                    t.Foreign,
#pragma warning disable RCS0056 // one line of text
                    $$$"""{"typ":"JWT","alg":"ES256","kid":"{{{t.Key.Id}}}","jwk":{"kty":"EC","crv":"P-256","x":"{{{new string('A', 43)}}}","y":"{{{new string('A', 43)}}}"}}""", t.PayloadText)),
#pragma warning restore RCS0056
        ["foreign x5c, signed by it"] =
            (UnreadableHeader,
                static t => Forge.Signed(
                    t.Foreign,
#pragma warning disable RCS0056 // one line of text
                    $$"""{"typ":"JWT","alg":"ES256","kid":"{{t.Key.Id}}","x5c":["{{Convert.ToBase64String(t.Foreign.PublicKey)}}"]}""", t.PayloadText)),
#pragma warning restore RCS0056
        ["jwk null"] = (BadHeader, static t => WithMember(t, "\"jwk\":null")),
        ["alg twice, ours first"] = (BadHeader, static t => WithMember(t, "\"alg\":\"none\"")),
        ["alg twice, ours last"] = (BadHeader, static t => WithHeader(t, $$"""{"alg":"none",{{t.HeaderText[1..]}}""")),
        ["alg twice, one escaped"] = (BadHeader, static t => WithMember(t, "\"\\u0061lg\":\"none\"")),
        ["kid twice"] = (BadHeader, static t => WithMember(t, $"\"kid\":\"x\"")),
        ["alg escaped"] =
            (BadHeader, static t => WithHeader(t, t.HeaderText.Replace("alg", "\\u0061lg", StringComparison.Ordinal))),
        ["other order"] =
            (BadHeader,
                static t => WithHeader(t, $$"""{"alg":"{{t.Key.Algorithm}}","kid":"{{t.Key.Id}}","typ":"JWT"}""")),
        ["white space"] =
            (BadHeader, static t => WithHeader(t, t.HeaderText.Replace(",", ", ", StringComparison.Ordinal))),
        ["line break before"] = (BadHeader, static t => WithHeader(t, "\n" + t.HeaderText)),
        ["byte order mark"] = (BadHeader, static t => WithHeader(t, "\uFEFF" + t.HeaderText)),
        ["trailing data"] = (BadHeader, static t => WithHeader(t, t.HeaderText + "{}")),
        ["trailing NUL"] = (BadHeader, static t => WithHeader(t, t.HeaderText + "\0")),
        ["an array"] = (BadHeader, static t => WithHeader(t, "[" + t.HeaderText + "]")),
        ["a string"] = (BadHeader, static t => WithHeader(t, "\"JWT\"")),
        ["null"] = (BadHeader, static t => WithHeader(t, "null")),
        ["no JSON"] = (BadHeader, static t => WithHeader(t, "{\"typ\":\"JWT\",\"alg\":\"")),
        ["depth bomb"] = (BadHeader, static t => WithHeader(t, new string('[', 100))),
        ["invalid UTF-8"] = (BadHeader, static t => $"{Forge.Encode([0xff, 0xfe, 0x7b])}.{t.Payload}.{t.Signature}"),
    };

    // Signed by our own key: only a fault of ours could make these, and it would not do harm either.
    private static readonly Dictionary<string, Func<string, string>> Payloads = new()
    {
        ["iss twice"] = static p => p.Replace(
            "\"sub\"", "\"iss\":\"https://evil.example\",\"sub\"", StringComparison.Ordinal),
        ["iss twice, one escaped"] = static p => p.Replace(
            "\"sub\"", "\"\\u0069ss\":\"https://evil.example\",\"sub\"", StringComparison.Ordinal),
        ["iss escaped"] = static p => p.Replace("\"iss\"", "\"\\u0069ss\"", StringComparison.Ordinal),
        ["sub twice, at the end"] = static p => p[..^1] + ",\"sub\":\"admin\"}",
        ["access twice"] = static p => p.Replace("\"knd\"", "\"access\":[],\"knd\"", StringComparison.Ordinal),
        ["name twice in access"] = static p => p.Replace(
            "\"name\":\"team/app\"", "\"name\":\"team/app\",\"name\":\"team/other\"", StringComparison.Ordinal),
        ["group claim twice"] = static p => p[..^1] + ",\"grp\":[\"a\"],\"grp\":[\"b\"]}",
        ["an unknown member"] = static p => p[..^1] + ",\"new\":true}",
        ["another order"] = static p => p.Replace(
            "\"sub\":\"alice\",\"aud\":\"registry.test\"", "\"aud\":\"registry.test\",\"sub\":\"alice\"",
            StringComparison.Ordinal),
        ["no iss"] = static p => "{" + p[(p.IndexOf(',', StringComparison.Ordinal) + 1)..],
        ["no exp"] = static p => System.Text.RegularExpressions.Regex.Replace(p, "\"exp\":[0-9]+,", ""),
        ["no access"] = static p => System.Text.RegularExpressions.Regex.Replace(p, "\"access\":\\[.*\\],", ""),
        ["no kind of subject"] = static p => p.Replace("\"knd\":\"u\",", "", StringComparison.Ordinal),
        ["a token for an upstream"] = static p => p[..p.IndexOf(",\"knd\"", StringComparison.Ordinal)] + "}",
        ["iss null"] = static p => p.Replace("\"https://registry.test\"", "null", StringComparison.Ordinal),
        ["aud an array"] = static p => p.Replace(
            "\"aud\":\"registry.test\"", "\"aud\":[\"registry.test\"]", StringComparison.Ordinal),
        ["aud an array with others"] = static p => p.Replace(
            "\"aud\":\"registry.test\"", "\"aud\":[\"x\",\"registry.test\"]", StringComparison.Ordinal),
        ["sub a number"] = static p => p.Replace("\"alice\"", "1", StringComparison.Ordinal),
        ["sub empty for a user"] = static p => p.Replace("\"alice\"", "\"\"", StringComparison.Ordinal),
        ["kind anonymous with a name"] = static p => p.Replace(
            "\"knd\":\"u\"", "\"knd\":\"a\"", StringComparison.Ordinal),
        ["kind unknown"] = static p => p.Replace("\"knd\":\"u\"", "\"knd\":\"root\"", StringComparison.Ordinal),
        ["exp a string"] = static p => WithExpiry(p, "\"4102444800\""),
        ["exp a fraction"] = static p => WithExpiry(p, "4102444800.0"),
        ["exp with an exponent"] = static p => WithExpiry(p, "4e9"),
        ["exp negative"] = static p => WithExpiry(p, "-1"),
        ["exp minus zero"] = static p => WithExpiry(p, "-0"),
        ["exp huge"] = static p => WithExpiry(p, "99999999999999999999999999"),
        ["exp in year 10000"] = static p => WithExpiry(p, "253402300800"),
        ["exp the greatest 64-bit number"] = static p => WithExpiry(p, "9223372036854775807"),
        ["exp with a leading zero"] = static p => WithExpiry(p, "01767225900"),
        ["exp hexadecimal"] = static p => WithExpiry(p, "0x69f"),
        ["exp true"] = static p => WithExpiry(p, "true"),
        ["exp null"] = static p => WithExpiry(p, "null"),
        ["exp NaN"] = static p => WithExpiry(p, "NaN"),
        ["nbf that does not fit iat"] = static p => System.Text.RegularExpressions.Regex.Replace(
            p, "\"nbf\":[0-9]+", "\"nbf\":0"),
        ["action unknown"] = static p => p.Replace("[\"pull\"]", "[\"pull\",\"admin\"]", StringComparison.Ordinal),
        ["action star on a repository"] = static p => p.Replace("[\"pull\"]", "[\"*\"]", StringComparison.Ordinal),
        ["action of policies only"] = static p => p.Replace(
            "[\"pull\"]", "[\"pull\",\"overwrite\"]", StringComparison.Ordinal),
        ["action twice"] = static p => p.Replace("[\"pull\"]", "[\"pull\",\"pull\"]", StringComparison.Ordinal),
        ["actions as text"] = static p => p.Replace("[\"pull\"]", "\"pull,push\"", StringComparison.Ordinal),
        ["name that is none"] = static p => p.Replace("team/app", "Team/../app", StringComparison.Ordinal),
        ["type unknown"] = static p => p.Replace("\"repository\"", "\"everything\"", StringComparison.Ordinal),
        ["access an object"] = static p => p.Replace(
            "\"access\":[{", "\"access\":{\"a\":{", StringComparison.Ordinal).Replace(
                "}],\"knd\"", "}},\"knd\"", StringComparison.Ordinal),
        ["depth bomb"] = static p => p[..^1] + ",\"grp\":" + new string('[', 2000) + new string(']', 2000) + "}",
        ["groups an object"] = static p => p[..^1] + ",\"grp\":{}}",
        ["byte order mark"] = static p => "\uFEFF" + p,
        ["space before"] = static p => " " + p,
        ["line break behind"] = static p => p + "\n",
        ["spaces inside"] = static p => p.Replace(",", ", ", StringComparison.Ordinal),
        ["trailing object"] = static p => p + "{}",
        ["trailing NUL"] = static p => p + "\0",
        ["trailing comma"] = static p => p[..^1] + ",}",
        ["comment"] = static p => p[..^1] + "/**/}",
        ["cut in the middle"] = static p => p[..(p.Length / 2)],
        ["an array"] = static p => "[" + p + "]",
        ["null"] = static _ => "null",
        ["nothing but a brace"] = static _ => "{",
        ["empty object"] = static _ => "{}",
        ["a lone surrogate"] = static p => p.Replace("\"alice\"", "\"\\ud800\"", StringComparison.Ordinal),
        ["a letter escaped"] = static p => p.Replace("\"alice\"", "\"\\u0061lice\"", StringComparison.Ordinal),
        ["single quotes"] = static p => p.Replace('"', '\''),
    };

    public static TheoryData<SigningAlgorithm, string> FormNames => Rows(Forms.Keys);

    public static TheoryData<SigningAlgorithm, string> HeaderNames => Rows(Headers.Keys);

    public static TheoryData<SigningAlgorithm, string> PayloadNames => Rows(Payloads.Keys);

    [Theory]
    [MemberData(nameof(FormNames))]
    public void Verify_MalformedToken_IsRefused(SigningAlgorithm algorithm, string name) =>
        AssertRefused(Targets[algorithm], Forms[name].Make, Forms[name].Reason);

    [Theory]
    [MemberData(nameof(HeaderNames))]
    public void Verify_ForgedHeader_IsRefused(SigningAlgorithm algorithm, string name) =>
        AssertRefused(Targets[algorithm], Headers[name].Make, Headers[name].Reason);

    [Theory]
    [MemberData(nameof(PayloadNames))]
    public void Verify_OddPayloadUnderOurOwnSignature_IsRefused(SigningAlgorithm algorithm, string name)
    {
        var target = Targets[algorithm];
        var odd = Payloads[name](target.PayloadText);
        Assert.NotEqual(target.PayloadText, odd);
        AssertRefused(target, t => Forge.Signed(t.Key, t.HeaderText, odd), BadPayload);
    }

    [Fact]
    public void Verify_PayloadThatIsNotUtf8_IsRefused()
    {
        var target = Targets[SigningAlgorithm.ES256];
        var payload = Forge.Utf8(target.PayloadText);
        payload[target.PayloadText.IndexOf("alice", StringComparison.Ordinal)] = 0xff;
        AssertRefused(target, t => Forge.Signed(t.Key, t.HeaderText, payload), BadPayload);
    }

    [Fact]
    public void Verify_SignatureAsDer_IsRefused()
    {
        var target = Targets[SigningAlgorithm.ES256];
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var known = new SigningKey(key, default);
        target.Stage.Keys.Current = new SigningKeyRing([target.Key, target.Second, known]);
        var header = Forge.Header(known);
        byte[] Sign(byte[] data, DSASignatureFormat format) => key.SignData(data, HashAlgorithmName.SHA256, format);

        AssertRefused(
            target,
            t => Forge.WithSignature(header, t.PayloadText, data => Sign(data, DSASignatureFormat.Rfc3279DerSequence)),
            WrongSignature);
        target.Stage.Accept(Forge.WithSignature(
            header, target.PayloadText, data => Sign(data, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)));
    }

    [Theory]
    [InlineData("r=0 s=1", 0, 1)]
    [InlineData("r=1 s=0", 1, 0)]
    [InlineData("r=1 s=1", 1, 1)]
    [InlineData("r=n s=n", -1, -1)]
    public void Verify_SignatureOfDegenerateNumbers_IsRefused(string name, int r, int s)
    {
        Assert.NotEmpty(name);
        AssertRefused(
            Targets[SigningAlgorithm.ES256],
            t => Forge.WithSignature(t.HeaderText, t.PayloadText, _ => [.. Number(r), .. Number(s)]),
            WrongSignature);
    }

    [Theory]
    [InlineData(SigningAlgorithm.ES256)]
    [InlineData(SigningAlgorithm.RS256)]
    public void Verify_PayloadResignedUnchanged_IsAccepted(SigningAlgorithm algorithm)
    {
        var target = Targets[algorithm];

        target.Stage.Accept(Forge.Signed(target.Key, target.HeaderText, target.PayloadText));
    }

    [Theory]
    [InlineData(SigningAlgorithm.ES256, 160_000)]
    [InlineData(SigningAlgorithm.RS256, 60_000)]
    public void Verify_RandomMutations_NeverAcceptsAndNeverThrows(SigningAlgorithm algorithm, int count)
    {
        var target = new Target(algorithm);
        var started = Stopwatch.GetTimestamp();
        var random = new Random(20260101);
        string[] good = [target.Token, target.Other, target.Stage.Issue(Principal.Anonymous)];
        for (var i = 0; i < count; i++)
        {
            var mutant = Mutate(good, random);
            if (Array.IndexOf(good, mutant) < 0)
            {
                Assert.True(
                    target.Stage.Verify(mutant) is AuthenticationResult.Refused,
                    string.Create(CultureInfo.InvariantCulture, $"mutation {i} of seed 20260101 was accepted"));
            }
        }

        Assert.All(good, token => target.Stage.Accept(token));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(2));
    }

    private static string Mutate(string[] good, Random random)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var token = good[random.Next(good.Length)];
        var text = new StringBuilder(token);
        switch (random.Next(8))
        {
            case 0: // letters, of the alphabet
                for (var n = random.Next(1, 4); n > 0; n--)
                {
                    text[random.Next(text.Length)] = alphabet[random.Next(alphabet.Length)];
                }

                return text.ToString();
            case 1: // any character
                text[random.Next(text.Length)] = (char)random.Next(0, random.Next(2) == 0 ? 256 : 65536);
                return text.ToString();
            case 2:
                return token[..random.Next(token.Length)];
            case 3:
                return token[random.Next(token.Length)..];
            case 4:
                return text.Insert(random.Next(text.Length), alphabet[random.Next(alphabet.Length)]).ToString();
            case 5:
                return text.Remove(random.Next(text.Length), 1).ToString();
            case 6: // spliced at any place
                var other = good[random.Next(good.Length)];
                return token[..random.Next(token.Length)] + other[random.Next(other.Length)..];
            default: // spliced part by part
                var parts = Enumerable.Range(0, 3).Select(i => good[random.Next(good.Length)].Split('.')[i]);
                return string.Join('.', parts);
        }
    }

    private static void AssertRefused(Target target, Func<Target, string> make, string reason)
    {
        target.Stage.Accept(target.Token);

        Assert.Equal(reason, target.Stage.Refuse(make(target)).Reason);

        target.Stage.Accept(target.Token);
    }

    private static TheoryData<SigningAlgorithm, string> Rows(IEnumerable<string> names)
    {
        var rows = new TheoryData<SigningAlgorithm, string>();
        foreach (var name in names)
        {
            rows.Add(SigningAlgorithm.ES256, name);
            rows.Add(SigningAlgorithm.RS256, name);
        }

        return rows;
    }

    private static string Hmac(Target target, byte[] secret) => Forge.WithSignature(
        Forge.Header("HS256", target.Key.Id), target.PayloadText, data => HMACSHA256.HashData(secret, data));

    private static string PemOf(SigningKey key) => PemEncoding.WriteString("PUBLIC KEY", key.PublicKey);

    private static string WithKid(Target target, string id) =>
        WithHeader(target, Forge.Header(target.Key.Algorithm.ToString(), id));

    private static string WithMember(Target target, string member) =>
        WithHeader(target, target.HeaderText[..^1] + "," + member + "}");

    private static string WithHeader(Target target, string header) =>
        Forge.Signed(target.Key, header, target.PayloadText);

    private static string WithExpiry(string payload, string number) =>
        System.Text.RegularExpressions.Regex.Replace(payload, "\"exp\":[0-9]+", "\"exp\":" + number);

    private static string WithTrailingBits(string part)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        return part[..^1] + alphabet[alphabet.IndexOf(part[^1], StringComparison.Ordinal) | 1];
    }

    private static byte[] Number(int value) => value < 0
        ? Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551") // n of P-256
        : [.. new byte[31], (byte)value];

    private sealed class Target
    {
        public Target(SigningAlgorithm algorithm)
        {
            Stage = new TokenStage(algorithm);
            Key = Stage.Keys.Key;
            Second = TestSigningKeys.Create(algorithm);
            Stage.Keys.Current = new SigningKeyRing([Key, Second]);
            Token = Forge.Signed(Key, Forge.Header(Key), Forge.Decode(Forge.Parts(Stage.Issue()).Payload));
            Other = Stage.Issue(scope: TokenStage.Scope("team/other", ActionNames.All));
        }

        public TokenStage Stage { get; }

        public SigningKey Key { get; }

        public SigningKey Second { get; }

        public SigningKey Foreign { get; } = TestSigningKeys.Create(SigningAlgorithm.ES256);

        public string Token { get; }

        public string Other { get; }

        public string Header => Forge.Parts(Token).Header;

        public string Payload => Forge.Parts(Token).Payload;

        public string Signature => Forge.Parts(Token).Signature;

        public byte[] SignatureBytes => System.Buffers.Text.Base64Url.DecodeFromChars(Signature);

        public string HeaderText => Forge.Decode(Header);

        public string PayloadText => Forge.Decode(Payload);

        // Short enough to be looked at where a header stands.
        public string ShortPayload { get; } = Forge.Encode("{\"iss\":\"https://registry.test\",\"sub\":\"alice\"}");
    }
}
