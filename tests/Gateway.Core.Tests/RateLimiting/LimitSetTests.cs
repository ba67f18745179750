using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.RateLimiting;
using Gateway.Core.Registry;

namespace Gateway.Core.Tests.RateLimiting;

public sealed class LimitSetTests
{
    private static readonly Quota Ten = new(10, TimeSpan.FromMinutes(1), 10);
    private static readonly PolicySet Policy = PolicySet.Compile(new PolicyDefinition(
        [], [new PolicyGroup("team-a", [Selector("user:alice")])]));

    [Theory]
    [InlineData("user:alice", "alice", true)]
    [InlineData("user:alice", "bob", false)]
    [InlineData("group:team-a", "alice", true)]
    [InlineData("group:team-a", "bob", false)]
    [InlineData("authenticated", "bob", true)]
    [InlineData("authenticated", null, false)]
    [InlineData("anonymous", null, true)]
    [InlineData("anonymous", "bob", false)]
    [InlineData("everyone", "bob", true)]
    public void Find_Selectors_PickAsInPolicies(string to, string? user, bool isPicked)
    {
        var limits = new LimitSet([Rule() with { To = To(to) }]);

        Assert.Equal(isPicked ? 1 : 0, limits.Find(Policy, Request(user)).Count);
    }

    [Theory]
    [InlineData("team-a/**", "team-a/app", true)]
    [InlineData("team-a/**", "team-b/app", false)]
    [InlineData("users/${subject}/**", "users/alice/app", true)]
    [InlineData("users/${subject}/**", "users/bob/app", false)]
    [InlineData("team-a/**", null, false)]
    public void Find_Repositories_MatchAsInPolicies(string pattern, string? repository, bool isOn)
    {
        var limits = new LimitSet([Rule() with { Repositories = [RepositoryPattern.Parse(pattern)] }]);

        Assert.Equal(isOn ? 1 : 0, limits.Find(Policy, Request("alice", repository)).Count);
    }

    [Theory]
    [InlineData(LimitPartitions.None, "alice", "limit:r|||", "r")]
    [InlineData(LimitPartitions.Subject, "alice", "limit:r|user%3Aalice||", "user:alice")]
    [InlineData(LimitPartitions.Address, "alice", "limit:r||192.0.2.7|", "192.0.2.7")]
    [InlineData(LimitPartitions.Repository, "alice", "limit:r|||team-a%2Fapp", "team-a/app")]
    [InlineData(LimitPartitions.Caller, "alice", "limit:r|user%3Aalice||", "user:alice")]
    [InlineData(LimitPartitions.Caller, null, "limit:r||192.0.2.7|", "192.0.2.7")]
    [InlineData(LimitPartitions.Subject | LimitPartitions.Address, null, "limit:r|anonymous|192.0.2.7|", "192.0.2.7")]
    [InlineData(
        LimitPartitions.Subject | LimitPartitions.Address | LimitPartitions.Repository,
        "alice", "limit:r|user%3Aalice|192.0.2.7|team-a%2Fapp", "user:alice")]
    public void Find_Partitions_NameTheBudget(LimitPartitions per, string? user, string key, string source)
    {
        var charge = Assert.Single(new LimitSet([Rule() with { Per = per }]).Find(Policy, Request(user)));

        Assert.Equal((key, source), (charge.Key, charge.Source));
    }

    [Fact]
    public void Find_SeveralRules_GivesThoseOfTheClass()
    {
        var limits = new LimitSet(
        [
            Rule() with { Name = "a" },
            Rule() with { Name = "b", Classes = RequestClasses.Pull | RequestClasses.Push },
            Rule() with { Name = "c", Classes = RequestClasses.Push },
        ]);

        Assert.Equal(["a", "b"], limits.Find(Policy, Request("alice")).Select(static charge => charge.Rule.Name));
        Assert.Empty(limits.Find(Policy, Request("alice") with { Class = RequestClasses.Token }));
    }

    [Theory]
    [InlineData("GET", "/v2/a/manifests/latest", RequestClasses.Pull, 1)]
    [InlineData("HEAD", "/v2/a/manifests/latest", RequestClasses.Pull, 0)]
    [InlineData("PUT", "/v2/a/manifests/latest", RequestClasses.Push, 1)]
    [InlineData("DELETE", "/v2/a/manifests/latest", RequestClasses.Push, 1)]
    [InlineData("POST", "/v2/a/blobs/uploads/", RequestClasses.Push, 1)]
    [InlineData("PATCH", "/v2/a/blobs/uploads/u", RequestClasses.None, 0)]
    [InlineData("DELETE", "/v2/a/blobs/uploads/u", RequestClasses.None, 0)]
    [InlineData("GET", "/v2/a/tags/list", RequestClasses.Read, 1)]
    [InlineData("GET", "/v2/_catalog", RequestClasses.Catalog, 1)]
    [InlineData("GET", "/v2/", RequestClasses.None, 0)]
    public void Classify_Requests_CostWhatTheTableSays(string method, string target, RequestClasses one, int permits)
    {
        var request = RegistryRequestParser.Parse(method, target).Request!;

        Assert.Equal((one, permits), RequestClassifier.Classify(request));
    }

    private static LimitRule Rule() => new()
    {
        Name = "r",
        To = To("everyone"),
        Classes = RequestClasses.Pull,
        Per = LimitPartitions.Caller,
        Quota = Ten,
    };

    private static SubjectSelectorSet To(string text) => new([Selector(text)]);

    private static SubjectSelector Selector(string text) =>
        SubjectSelector.TryParse(text, out var selector) ? selector : throw new FormatException(text);

    private static LimitRequest Request(string? user, string? repository = "team-a/app") => new(
        RequestClasses.Pull,
        user is null ? Subject.Anonymous : new Subject { Kind = SubjectKind.User, Name = user, Method = "htpasswd" },
        IPAddress.Parse("192.0.2.7"),
        repository is null ? null : RepositoryName.Parse(repository));
}
