using System.Text.RegularExpressions;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

public sealed class CredentialSecretTests
{
    // Worked out by Python's zlib.crc32.
    [Theory]
    [InlineData("rgp_000000000000000000000000000000002ajgrl", CredentialSecretKind.Personal)]
    [InlineData("rgr_abcdefghijklmnopqrstuvwxyzABCDEF05uE4J", CredentialSecretKind.Robot)]
    [InlineData("rgf_9876543210zyxwvutsrqponmlkjihgfe0dxCKo", CredentialSecretKind.Refresh)]
    [InlineData("rgp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAA13200joaH", CredentialSecretKind.Personal)]
    public void Read_SecretWithAChecksumMadeElsewhere_IsThatSecret(string text, CredentialSecretKind kind)
    {
        Assert.Equal(CredentialSecretReading.Secret, CredentialSecret.Read(text, out var secret));

        Assert.Equal(kind, secret!.Kind);
        Assert.Equal(text, secret.Reveal());
        Assert.True(CredentialSecret.TryParse(text, out _));
    }

    // 123456789 is the check value of every CRC catalogue; gzip's trailer has it too.
    [Theory]
    [InlineData("", 0u)]
    [InlineData("123456789", 0xCBF43926u)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x414FA339u)]
    public void Crc32_KnownText_HasThePublishedValue(string text, uint checksum) =>
        Assert.Equal(checksum, Crc32.Of(text));

    [Theory]
    [InlineData(CredentialSecretKind.Personal, "rgp_")]
    [InlineData(CredentialSecretKind.Robot, "rgr_")]
    [InlineData(CredentialSecretKind.Refresh, "rgf_")]
    public void Create_AnyKind_IsReadBackAndFoundByScanners(CredentialSecretKind kind, string prefix)
    {
        for (var i = 0; i < 1000; i++)
        {
            var text = CredentialSecret.Create(kind).Reveal();

            Assert.Equal(CredentialSecretReading.Secret, CredentialSecret.Read(text, out var secret));
            Assert.Equal(kind, secret!.Kind);
            Assert.StartsWith(prefix, text, StringComparison.Ordinal);
            Assert.Equal(text, Regex.Match($"export TOKEN=\"{text}\"", CredentialSecret.ScannerPattern).Value);
        }
    }

    // 64,000 characters over 62 digits: 1,032 expected each, with a standard deviation of 32. Taking a random byte
    // modulo 62 would give the first eight digits 1,250.
    [Fact]
    public void Create_ManySecrets_UseEveryDigitAlike()
    {
        var counts = new Dictionary<char, int>();
        var seen = new HashSet<string>();
        for (var i = 0; i < 2000; i++)
        {
            var text = CredentialSecret.Create(CredentialSecretKind.Personal).Reveal();
            Assert.True(seen.Add(text));
            foreach (var digit in text[4..36])
            {
                counts[digit] = counts.GetValueOrDefault(digit) + 1;
            }
        }

        Assert.Equal(62, counts.Count);
        Assert.All(counts, static count => Assert.InRange(count.Value, 1032 - 210, 1032 + 210));
    }

    [Fact]
    public void Read_AnyOneCharacterReplacedByAnother_IsMistyped()
    {
        const string digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        var text = CredentialSecret.Create(CredentialSecretKind.Robot).Reveal();
        for (var i = 4; i < text.Length; i++)
        {
            foreach (var digit in digits.Where(digit => digit != text[i]))
            {
                var slip = text[..i] + digit + text[(i + 1)..];
                Assert.Equal(CredentialSecretReading.Mistyped, CredentialSecret.Read(slip, out var secret));
                Assert.Null(secret);
                Assert.False(CredentialSecret.TryParse(slip, out _));
            }
        }
    }

    [Fact]
    public void Read_TwoNeighboursSwapped_IsMistyped()
    {
        var text = CredentialSecret.Create(CredentialSecretKind.Personal).Reveal();
        for (var i = 4; i + 1 < text.Length; i++)
        {
            if (text[i] != text[i + 1])
            {
                var slip = text[..i] + text[i + 1] + text[i] + text[(i + 2)..];
                Assert.Equal(CredentialSecretReading.Mistyped, CredentialSecret.Read(slip, out _));
            }
        }
    }

    // The checksum covers the prefix: one kind of secret cannot be passed off as another.
    [Fact]
    public void Read_PrefixOfAnotherKind_IsMistyped()
    {
        var text = CredentialSecret.Create(CredentialSecretKind.Refresh).Reveal();

        Assert.Equal(CredentialSecretReading.Mistyped, CredentialSecret.Read("rgp_" + text[4..], out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("rgp_")]
    [InlineData("alice-password")]
    [InlineData("rgp_000000000000000000000000000000002ajgr")] // a character short
    [InlineData("rgp_000000000000000000000000000000002ajgrll")] // a character long
    [InlineData("RGP_000000000000000000000000000000002ajgrl")]
    [InlineData("rgx_000000000000000000000000000000002ajgrl")]
    [InlineData("rgp-000000000000000000000000000000002ajgrl")]
    [InlineData(" gp_000000000000000000000000000000002ajgrl")]
    [InlineData("rgp_00000000000000000000000000000000 ajgrl")]
    [InlineData("rgp_0000000000000000000000000000000_2ajgrl")]
    [InlineData("rgp_000000000000000000000000000000002ajgr\n")]
    [InlineData("rgp_000000000000000000000000000000002ajgrſ")]
    public void Read_AnotherText_IsNotASecret(string text)
    {
        Assert.Equal(CredentialSecretReading.NotASecret, CredentialSecret.Read(text, out var secret));

        Assert.Null(secret);
    }

    [Fact]
    public void ToString_AnySecret_DoesNotShowIt() =>
        Assert.Equal("***", CredentialSecret.Create(CredentialSecretKind.Personal).ToString());
}
