using Gateway.Server.Store.State;
using Gateway.Server.Tokens.Credentials;

namespace Gateway.Tests.Server.Tokens.Credentials;

public sealed class NameTests
{
    [Theory]
    [InlineData("laptop")]
    [InlineData("x")]
    [InlineData("Alice's laptop (2026), \"blue\"")]
    [InlineData("Büro-Rechner 研究室 💻")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public void CredentialName_PrintableText_IsValid(string name) => Assert.True(CredentialName.IsValid(name));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData(" laptop")]
    [InlineData("laptop ")]
    [InlineData("lap\ttop")]
    [InlineData("lap\ntop")]
    [InlineData("lap\u001b[2Jtop")]
    [InlineData("lap\u202etop")] // turns what follows around
    [InlineData("lap\u200btop")] // seen by nobody
    [InlineData("lap\u00a0top")] // looks like a space
    [InlineData("lap\u2028top")]
    [InlineData("lap\ue000top")]
    [InlineData("lap\ufffdtop")]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234")]
    public void CredentialName_AnythingElse_IsNotValid(string name) => Assert.False(CredentialName.IsValid(name));

    [Fact]
    public void CredentialName_HalfACharacter_IsNotValid() => Assert.False(CredentialName.IsValid("lap\ud83dtop"));

    [Theory]
    [InlineData("ci-deploy")]
    [InlineData("c")]
    [InlineData("7")]
    [InlineData("team-a.build_2--x")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public void RobotName_Canonical_IsValid(string name) => Assert.True(RobotName.IsValid(name));

    [Theory]
    [InlineData("")]
    [InlineData("CI")]
    [InlineData("-ci")]
    [InlineData("ci-")]
    [InlineData(".ci")]
    [InlineData("ci_")]
    [InlineData("ci deploy")]
    [InlineData("ci/deploy")]
    [InlineData("robot:ci")]
    [InlineData("robot$ci")]
    [InlineData("ci\n")]
    [InlineData("cİ")]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234")]
    public void RobotName_AnythingElse_IsNotValid(string name) => Assert.False(RobotName.IsValid(name));

    [Fact]
    public void CredentialId_Many_AreDistinctAndSafeInUrlsAndLogs()
    {
        var ids = Enumerable.Range(0, 10_000).Select(static _ => CredentialId.Create()).ToList();

        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(ids, static id => Assert.Matches(@"\A[0-9a-hj-km-np-tv-z]{12}\z", id));
    }
}
