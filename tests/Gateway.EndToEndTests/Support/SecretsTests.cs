namespace Gateway.EndToEndTests.Support;

/// <summary>The search for secrets finds them; else its silence would mean nothing.</summary>
public sealed class SecretsTests
{
    public SecretsTests() => Secrets.Know("carol", "planted secret+1");

    [Theory]
    [InlineData("info: Y2Fyb2w6cGxhbnRlZCBzZWNyZXQrMQ==")]
    [InlineData("the password \"planted secret+1\" is wrong")]
    [InlineData("GET /token?password=planted%20secret%2B1")]
    [InlineData("a token rgp_0123456789abcdefABCDEF was refused")]
    [InlineData("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln")]
    [InlineData("Authorization: Basic dXNlcjpwYXNzd29yZA==")]
    [InlineData("Authorization: Bearer abcdefghijklmnop")]
    [InlineData("PATCH /v2/a/blobs/uploads/u?_ticket=x")]
    [InlineData("-----BEGIN PRIVATE KEY-----")]
    [InlineData("alice:$2y$10$abcdefghijk")]
    public void FindIn_TextWithASecret_FindsIt(string text) =>
        Assert.NotNull(Secrets.FindIn("a line before\n" + text + "\n"));

    [Theory]
    [InlineData("The sign-in of \"carol\" was refused: wrong password.")]
    [InlineData("Bearer realm=\"https://registry.example.com/token\"")]
    [InlineData("Denied 0123456789abcdef: user:alice@htpasswd asked PutManifest on team-b/app v1; decided by no rule.")]
    public void FindIn_WhatALogMayHold_FindsNothing(string text) => Assert.Null(Secrets.FindIn(text));
}
