using Gateway.Tests.Server.Host.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Store.Keys;

public sealed class SigningKeyOptionsValidatorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // No value is shown: a password is their neighbour.
    [Theory]
    [InlineData(
        "tokens: { keys: { rotateAfter: 23h } }\n",
        "tokens.keys.rotateAfter: is outside 1d to 3650d. Set it to a duration in that range.")]
    [InlineData(
        "tokens: { keys: { rotateAfter: 3651d } }\n",
        "tokens.keys.rotateAfter: is outside 1d to 3650d. Set it to a duration in that range.")]
    [InlineData(
        "tokens: { keys: { password: canary-canary-canary } }\n",
        "tokens.keys.password: has no effect, since the keys are in a folder. Remove it, or set tokens.keys.store to "
            + "redis; file permissions protect the files.")]
    [InlineData(
        "tokens: { keys: { store: redis, password: canary-canary-canary } }\n",
        "tokens.keys.store: requires the section redis, which is missing. Add it: redis: { server: \"redis:6379\" }.")]
    [InlineData(
        "redis: { server: r }\ntokens: { keys: { store: redis } }\n",
        "tokens.keys.store: requires a password to encrypt the keys. Set tokens.keys.passwordFile, with the same "
            + "password for all replicas.")]
    [InlineData(
        "redis: { server: r }\ntokens: { keys: { store: redis, password: canary } }\n",
        "tokens.keys.password: is shorter than 16 characters. Generate one: openssl rand -base64 32.")]
    [InlineData(
        "redis: { server: r }\ntokens: { keys: { store: redis, folder: x, password: canary-canary-canary } }\n",
        "tokens.keys.folder: has no effect, since the keys are in Redis. Remove it.")]
    public void Load_WrongKeySettings_AreRefused(string lines, string problem)
    {
        var problems = ConfigurationSamples.Problems(_folder, ConfigurationSamples.Minimal + lines);

        Assert.EndsWith(problem, problems.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.DoesNotContain("\n", problems, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", problems, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokens: { keys: { rotateAfter: 0s } }\n")]
    [InlineData("tokens: { keys: { rotateAfter: 1d, folder: /var/lib/keys } }\n")]
    [InlineData(
        "redis: { server: r }\ntokens: { keys: { store: redis, password: canary-canary-canary, rotateAfter: 3650d } "
            + "}\n")]
    [InlineData("redis: { server: r }\ntokens: { keys: { store: folder } }\n")]
    public void Load_RightKeySettings_AreAccepted(string lines) =>
        Assert.NotNull(ConfigurationSamples.Load(_folder, ConfigurationSamples.Minimal + lines));
}
