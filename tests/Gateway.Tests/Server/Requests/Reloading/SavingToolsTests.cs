using System.Diagnostics;
using System.Globalization;
using Gateway.Core.Authorization;
using Gateway.Server.Registry.Authorization;
using Gateway.Server.Requests.Reloading;
using Gateway.Server.SignIn.Authentication;
using Gateway.Tests.Server.Requests.Tls;
using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Requests.Reloading;

/// <summary>
/// The programs that people save and copy files with, run for real under a gateway that looks all the time.
/// </summary>
public sealed class SavingToolsTests : IDisposable
{
    private const int MostAttempts = 5;
    private const string Grant = "rules:\n- { name: all, to: authenticated, role: owner, on: \"**\" }\n...\n";

    private readonly TemporaryFolder _outside = new();
    private readonly PolicyFiles _files = new(("grant.yaml", Grant), ("deny.yaml", Deny("before")));
    private ServiceProvider? _services;

    public void Dispose()
    {
        _services?.Dispose();
        _files.Dispose();
        _outside.Dispose();
    }

    // $1 is the file in the policy folder, $2 the new version elsewhere, $3 the word that becomes another.
    [Theory]
    [InlineData("vim", "vim -u NONE -es -c \"%s/$3/new-$3/\" -c wq \"$1\" < /dev/null")]
    [InlineData(
        "vim that renames", "vim -u NONE -es -c 'set backupcopy=no' -c \"%s/$3/new-$3/\" -c wq \"$1\" < /dev/null")]
    [InlineData(
        "vim that writes in place",
        "vim -u NONE -es -c 'set backupcopy=yes' -c \"%s/$3/new-$3/\" -c wq \"$1\" < /dev/null")]
    [InlineData("sed -i", "sed -i \"s/$3/new-$3/\" \"$1\"")]
    [InlineData("cp", "cp \"$2\" \"$1\"")]
    [InlineData("cp --remove-destination", "cp --remove-destination \"$2\" \"$1\"")]
    [InlineData("cat", "cat \"$2\" > \"$1\"")]
    [InlineData("install", "install -m 644 \"$2\" \"$1\"")]
    [InlineData("rsync", "rsync -t \"$2\" \"$1\"")]
    [InlineData("rsync --inplace", "rsync -t --inplace \"$2\" \"$1\"")]
    [InlineData(
        "kubectl cp, which is tar",
        "tar -C \"$(dirname \"$2\")\" -cf - deny.yaml | tar -C \"$(dirname \"$1\")\" -xmf -")]
    public async Task Save_DenyWithAnother_NeverLiftsItAndComesIntoForce(string how, string script)
    {
        var policies = Start();
        for (var attempt = 1; ; attempt++)
        {
            var word = string.Create(CultureInfo.InvariantCulture, $"version{attempt}");
            _files.Write("deny.yaml", Deny(word));
            await UntilAsync(policies, word);
            _outside.Write("deny.yaml", Deny("new-" + word));

            var looker = new Looker(policies);
            var started = Stopwatch.GetTimestamp();
            var (exitCode, output) = await Tool.RunAsync(
                "", "bash", "-c", script, "bash", Path.Combine(_files.Folder, "deny.yaml"),
                Path.Combine(_outside.Path, "deny.yaml"), word);
            var elapsed = Stopwatch.GetElapsedTime(started);
            Assert.True(exitCode == 0, $"{how}: {output}");
            await UntilAsync(policies, "new-" + word);
            var wasLifted = await looker.StopAsync();

            // A program that this machine held up in the middle for as long as files must keep still proves nothing.
            if (elapsed < Reloadable<PolicySet>.Stillness || !wasLifted)
            {
                Assert.False(wasLifted, how);
                return;
            }

            Assert.True(attempt < MostAttempts, $"{how}: {elapsed} in each of {MostAttempts} attempts");
        }
    }

    // As a ConfigMap is mounted: deny.yaml -> ..data/deny.yaml, ..data -> ..one.
    [Fact]
    public async Task Save_ConfigMapSwapped_NeverLiftsTheDenyAndComesIntoForce()
    {
        foreach (var (folder, word) in new[] { ("..one", "before"), ("..two", "after") })
        {
            _files.Write(folder + "/deny.yaml", Deny(word));
            _files.Write(folder + "/grant.yaml", Grant);
        }

        File.Delete(At("deny.yaml"));
        File.Delete(At("grant.yaml"));
        File.CreateSymbolicLink(At("..data"), "..one");
        File.CreateSymbolicLink(At("deny.yaml"), "..data/deny.yaml");
        File.CreateSymbolicLink(At("grant.yaml"), "..data/grant.yaml");
        var policies = Start();
        var looker = new Looker(policies);

        File.CreateSymbolicLink(At("..data_tmp"), "..two");
        await Tool.RenameAsync(At("..data_tmp"), At("..data"));
        Directory.Delete(At("..one"), recursive: true);

        await UntilAsync(policies, "after");
        Assert.False(await looker.StopAsync());
    }

    [Fact]
    public async Task Save_OnADiskThatIsFull_KeepsTheLastGoodPolicy()
    {
        using var disk = Mount.Disk(512 * 1024);
        File.WriteAllText(Path.Combine(disk.Path, "grant.yaml"), Grant);
        var file = Path.Combine(disk.Path, "deny.yaml");
        File.WriteAllText(file, Deny("before"));
        var policies = Start(disk.Path, requiresEnd: true);
        var source = _outside.Write("deny.yaml", Deny("after", others: 10_000));

        var (exitCode, output) = await Tool.RunAsync("", "cp", source, file);
        Assert.True(exitCode != 0 && output.Contains("No space left", StringComparison.Ordinal), output);
        Assert.InRange(new FileInfo(file).Length, 1, new FileInfo(source).Length - 1);
        var status = await policies.ReloadAsync(isAccepted: false, CancellationToken.None);

        Assert.NotEmpty(status.Problems);
        Assert.False(HalfWrittenPolicyTests.IsAllowed(policies));
        Assert.Contains(policies.Current.Definition.Rules, static rule => rule.Identity.Name == "before");
    }

    [Fact]
    public async Task Save_UsersOnADiskThatIsFull_KeepsTheLastGoodOnes()
    {
        using var disk = Mount.Disk(64 * 1024);
        var file = Path.Combine(disk.Path, "users.htpasswd");
        var line = ":" + TestUsers.Hash("secret") + "\n";
        File.WriteAllText(file, Lines(10));
        var options = new HtpasswdOptions { File = file, MinimumCost = 4 };
        var users = new Reloadable<HtpasswdFile>(
            "htpasswd", () => [file],
            replaced => HtpasswdReplacement.Load(options, replaced, TimeProvider.System.GetUtcNow()),
            TimeProvider.System, NullLogger<Reloadable<HtpasswdFile>>.Instance);
        var source = _outside.Write("users.htpasswd", Lines(5_000));

        var (exitCode, output) = await Tool.RunAsync("", "cp", source, file);
        Assert.True(exitCode != 0 && output.Contains("No space left", StringComparison.Ordinal), output);
        var status = await users.ReloadAsync(isAccepted: false, CancellationToken.None);

        Assert.NotEmpty(status.Problems);
        Assert.Equal(10, users.Current.Count);

        string Lines(int count) => string.Concat(Enumerable.Range(0, count).Select(i => $"user{i}{line}"));
    }

    // Large, so that copying takes more than one write.
    private static string Deny(string word, int others = 500) => "rules:\n"
        + string.Concat(
            Enumerable.Range(0, others).Select(
                static i => $"- name: rule {i} for others\n  deny: all\n  on: [ \"other-{i}/**\" ]\n"))
        + $"# {new string('-', 200_000)}\n- name: {word}\n  deny: [ push, pull ]\n  on: [ \"secret/**\" ]\n...\n";

    private string At(string name) => Path.Combine(_files.Folder, name);

    private static Task<TimeSpan> UntilAsync(Reloadable<PolicySet> policies, string rule) => Eventually.TrueAsync(() =>
    {
        policies.ReloadIfChanged();
        return policies.Current.Definition.Rules.Any(one => one.Identity.Name == rule);
    });

    private Reloadable<PolicySet> Start(string? folder = null, bool requiresEnd = false)
    {
        var source = new PolicySource(folder ?? _files.Folder, ["main"], requiresEnd, RunTests: false);
        _services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System)
            .AddGatewayAuthorization(source).BuildServiceProvider();
        return _services.GetRequiredService<Reloadable<PolicySet>>();
    }

    /// <summary>
    /// Looks all the time, far more often than the gateway does, and notes whether the deny was ever lifted.
    /// </summary>
    private sealed class Looker
    {
        private volatile bool _isEnding;
        private readonly Task<bool> _looking;

        public Looker(Reloadable<PolicySet> policies)
        {
            var started = new TaskCompletionSource();
            _looking = Task.Run(() =>
            {
                var wasLifted = false;
                while (!_isEnding)
                {
                    policies.ReloadIfChanged();
                    wasLifted |= HalfWrittenPolicyTests.IsAllowed(policies);
                    started.TrySetResult();
                    Thread.Sleep(1); // leaves the processor to the program that saves
                }

                return wasLifted;
            });
            started.Task.GetAwaiter().GetResult();
        }

        public Task<bool> StopAsync()
        {
            _isEnding = true;
            return _looking;
        }
    }
}
