using Gateway.Server.SignIn.Ldap;

namespace Gateway.Tests.Server.SignIn.Ldap;

/// <summary>What somebody typed, in filters (RFC 4515) and distinguished names (RFC 4514).</summary>
public class LdapTextTests
{
    [Theory]
    [InlineData("a*b", "a\\2ab")]
    [InlineData("a(b)c\\d\0e", "a\\28b\\29c\\5cd\\00e")]
    [InlineData("é", "\\c3\\a9")]
    [InlineData("alice.b-c_d@example.com", "alice.b-c_d@example.com")]
    public void Escape_InFilter_LeavesNothingThatCouldEndIt(string text, string expected) =>
        Assert.Equal(expected, LdapText.InFilter(text));

    [Theory]
    [InlineData("a,b", "a\\2Cb")]
    [InlineData(" a#", "\\20a\\23")]
    [InlineData("a=b+c", "a\\3Db\\2Bc")]
    [InlineData("\"<>;\\\0", "\\22\\3C\\3E\\3B\\5C\\00")]
    public void Escape_InName_LeavesNothingThatCouldEndIt(string text, string expected) =>
        Assert.Equal(expected, LdapText.InName(text));

    [Theory]
    [InlineData("cn=admins,ou=groups", "admins")]
    [InlineData("CN=a\\2cb\\,c\\+d,ou=groups", "a,b,c+d")]
    [InlineData("cn=\\C3\\A9,ou=x", "é")]
    [InlineData("cn=a+ou=b,dc=x", null)]
    [InlineData("uid=a,dc=x", null)]
    [InlineData("", null)]
    public void FirstValue_OfAName_IsReadAsWritten(string name, string? expected) =>
        Assert.Equal(expected, LdapText.FirstValue(name, "cn"));
}
