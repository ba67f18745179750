using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Server.Tokens.Service;

namespace Gateway.Tests.Server.Tokens.Service;

public sealed class UrlEncodedParametersTests
{
    [Theory]
    [InlineData("a=b", "b")]
    [InlineData("a=b+c", "b c")]
    [InlineData("a=b%20c", "b c")]
    [InlineData("a=b%2Bc%26d%3De", "b+c&d=e")]
    [InlineData("a=b=c==", "b=c==")]
    [InlineData("a=b;c=d", "b;c=d")] // not a separator to anybody today
    [InlineData("%61=b", "b")]
    [InlineData("a=%C3%A4", "ä")]
    [InlineData("a=ä", "ä")]
    [InlineData("a=", "")]
    [InlineData("a", "")]
    [InlineData("&&a=b&", "b")]
    [InlineData("A=x&a=b&a =y", "b")] // names compare with case and blanks
    [InlineData("x=%zz&a=b", "b")] // what is broken elsewhere does not matter
    [InlineData("%zz=x&a=b", "b")]
    [InlineData("b=a", null)]
    [InlineData("", null)]
    public void TryGetSingle_Parameter_IsDecodedOnce(string text, string? expected)
    {
        Assert.True(Read(text)!.TryGetSingle("a", out var value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("a=b&a=c")]
    [InlineData("a=b&a=b")]
    [InlineData("a=b&%61=c")]
    [InlineData("a&a")]
    [InlineData("a=b&a=%zz")]
    [InlineData("a=%zz")]
    [InlineData("a=%")]
    [InlineData("a=%4")]
    [InlineData("a=%C3")] // half a character
    [InlineData("a=%ED%A0%80")] // a surrogate
    [InlineData("a=%C0%AF")] // a slash in more bytes than it has
    public void TryGetSingle_RepeatedOrUnreadable_IsRefused(string text)
    {
        Assert.False(Read(text)!.TryGetSingle("a", out var value));
        Assert.Null(value);
    }

    [Fact]
    public void All_Repeated_KeepsTheOrderAndLeavesOutWhatIsUnreadable() =>
        Assert.Equal(["b", "", "c d"], Read("a=b&x=y&a=&a=%zz&a=c+d")!.All("a"));

    [Fact]
    public void Read_MorePairsThanTheLimit_IsRefused()
    {
        var fits = string.Join('&', Enumerable.Repeat("a=b", UrlEncodedParameters.MaxPairs));
        Assert.NotNull(Read(fits));
        Assert.Null(Read(fits + "&a=b"));
    }

    [Fact]
    public void Read_WhatAFrameworkWrote_ComesBackTheSame() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<NonNull<string>>().Select(static text => text.Get).Where(IsText).ToArbitrary(),
        static text =>
        {
            var form = new FormUrlEncodedContent(
                [new("x", "y"), new("password", text)]).ReadAsByteArrayAsync().GetAwaiter().GetResult();
            return UrlEncodedParameters.Read(form)!.TryGetSingle("password", out var value) && value == text;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Read_AnyBytes_NeverThrows() => Prop.ForAll(
        ArbMap.Default.GeneratorFor<byte[]>().ToArbitrary(),
        static bytes =>
        {
            UrlEncodedParameters.Read(bytes)!.TryGetSingle("a", out _);
            return true;
        }).QuickCheckThrowOnFailure();

    // Lone surrogates have no UTF-8.
    private static bool IsText(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text;

    private static UrlEncodedParameters? Read(string text) => UrlEncodedParameters.Read(Encoding.UTF8.GetBytes(text));
}
