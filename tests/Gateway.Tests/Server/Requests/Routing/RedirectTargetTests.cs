using Gateway.Server.Requests.Routing;

namespace Gateway.Tests.Server.Requests.Routing;

/// <summary>Which server a redirect leads to: one reading, or none.</summary>
public sealed class RedirectTargetTests
{
    [Theory]
    [InlineData("https://bucket.example.com/x?X-Amz-Signature=a%2Bb&y=a@b:c/../d", "https://bucket.example.com")]
    [InlineData("https://bucket.example.com", "https://bucket.example.com")]
    [InlineData("https://bucket.example.com:443/", "https://bucket.example.com")]
    [InlineData("http://bucket.example.com:443/", "http://bucket.example.com:443")]
    [InlineData("http://minio:80/", "http://minio")]
    [InlineData("hTTps://BUCKET.example.com/", "https://bucket.example.com")]
    [InlineData("https://10.0.0.7:9000/", "https://10.0.0.7:9000")]
    [InlineData("https://[2001:db8::1]:9000/x", "https://[2001:db8::1]:9000")]
    [InlineData("https://a_b.xn--bcher-kva.example/", "https://a_b.xn--bcher-kva.example")]
    [InlineData("https://bucket.example.com/x#y", "https://bucket.example.com")]
    public void TryParse_OfTheOneForm_NamesTheServer(string location, string origin)
    {
        Assert.True(RedirectTarget.TryParse(location, out var target));
        Assert.Equal(origin, target.Origin);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/x")]
    [InlineData("//evil.example/x")]
    [InlineData("https:/evil.example/x")]
    [InlineData("https:\\\\evil.example/x")]
    [InlineData("https:///evil.example/x")]
    [InlineData("ftp://evil.example/x")]
    [InlineData("javascript://evil.example/%0aalert(1)")]
    [InlineData("https://")]
    [InlineData("https:///")]
    [InlineData("https://a@evil.example/")]
    [InlineData("https://a:b@evil.example/")]
    [InlineData("https://@evil.example/")]
    [InlineData("https://good.example\\.evil.example/")]
    [InlineData("https://good.example\\@evil.example/")]
    [InlineData("https://good.example/\\evil.example")]
    [InlineData("https://good.example?@evil.example/")]
    [InlineData("https://good.example#@evil.example/")]
    [InlineData("https://good.example;evil.example/")]
    [InlineData("https://good.example,evil.example/")]
    [InlineData("https://good.example/, https://evil.example/")]
    [InlineData("https://good.example%2eevil.example/")]
    [InlineData("https://good.example%00.evil.example/")]
    [InlineData("https://good.example./")]
    [InlineData("https://.good.example/")]
    [InlineData("https://good..example/")]
    [InlineData("https://good.example:/")]
    [InlineData("https://good.example:0/")]
    [InlineData("https://good.example:0443/")]
    [InlineData("https://good.example:+443/")]
    [InlineData("https://good.example:65536/")]
    [InlineData("https://good.example:443:80/")]
    [InlineData("https://g\u00fcd.example/")]
    [InlineData("https://good\u3002example/")]
    [InlineData("https://good.example/\u00e4")]
    [InlineData("https://good.example/a b")]
    [InlineData("https://good.example/\t")]
    [InlineData("https://good.example/\r\nX: y")]
    [InlineData("https://\tgood.example/")]
    [InlineData(" https://good.example/")]
    [InlineData("https://127.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://0x7f.0.0.1/")]
    [InlineData("https://0x7f000001/")]
    [InlineData("https://0177.0.0.1/")]
    [InlineData("https://1.2.3.4.5/")]
    [InlineData("https://good.example.0x/")]
    [InlineData("https://[0:0::1]/")]
    [InlineData("https://[::1%25eth0]/")]
    [InlineData("https://[::1/")]
    [InlineData("https://::1/")]
    public void TryParse_OfAnyOtherForm_IsRefused(string location) =>
        Assert.False(RedirectTarget.TryParse(location, out _));

    [Fact]
    public void TryParse_OfRandomText_NeverThrowsAndAgreesWithTheFrameworkOnTheHost()
    {
        var random = new Random(15);
        string[] pieces = [
            "https://", "http://", "a", "good.example", ":", "443", "/", "\\", "@", "?", "#", "[", "]", "::1", ".",
            "127.1", "%41", "\u00e4", "\t", "x",
        ];
        for (var i = 0; i < 50_000; i++)
        {
            var text = pieces[random.Next(2)]
                + string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => pieces[random.Next(pieces.Length)]));
            if (RedirectTarget.TryParse(text, out var target))
            {
                Assert.True(Uri.TryCreate(text, UriKind.Absolute, out var uri), text);
                Assert.Equal(target.Origin, uri.GetLeftPart(UriPartial.Authority));
                Assert.Empty(uri.UserInfo);
            }
        }
    }
}
