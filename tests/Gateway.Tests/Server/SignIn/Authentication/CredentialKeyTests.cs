using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class CredentialKeyTests
{
    [Fact]
    public void Of_SameFields_IsTheSame() =>
        Assert.Equal(Key("m", "user", "password", "hash"), Key("m", "user", "password", "hash"));

    [Fact]
    public void Of_FieldsThatJoinToTheSameText_Differs()
    {
        string[][] fields =
        [
            ["m", "ab", "c", "h"], ["m", "a", "bc", "h"], ["ma", "b", "c", "h"], ["m", "ab", "ch", ""],
            ["m", "", "abc", "h"],
            ["m", "ab\0", "c", "h"], ["", "mab", "c", "h"], ["m", "abc", "", "h"], ["m", "ab", "C", "h"],
        ];
        Assert.Equal(fields.Length, fields.Select(f => Key(f[0], f[1], f[2], f[3])).Distinct().Count());
    }

    private static CredentialKey Key(string method, string user, string password, string evidence) =>
        CredentialKey.Derive(method, new BasicCredentials(user, password), evidence);
}
