using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Tests.Support;
using static Gateway.Core.Tests.Support.PolicyBuilder;

namespace Gateway.Core.Tests.Authorization;

public sealed class PolicyAllocationTests
{
    [Fact]
    public void Evaluate_KnownSubject_AllocatesNothing()
    {
        var conditions = new RuleConditions
        {
            Addresses = [IPNetwork.Parse("192.0.2.0/24"), IPNetwork.Parse("2001:db8::/32")],
            Time = new TimeWindow(
                [], TimeSpan.Zero, TimeSpan.FromHours(24), TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin")),
            Methods = [new Glob("htp*")],
        };
        var policy = Policy(
            [Group("team", "user:alice")],
            Allow("a", "group:team", Writer, "team-*/**", "users/${subject}/**", "**/base").When(conditions),
            Allow("b", "group:team", Owner, "team-*/**").ForTags("dev-*"),
            Deny("c", "", RepositoryActions.Overwrite, "**").ForTags("v*"));
        AccessRequest[] requests =
        [
            Ask(Alice, RepositoryActions.Pull | RepositoryActions.Push, "team-a/x/app", TagOf("dev-1")),
            Ask(Alice, RepositoryActions.Pull, "users/alice/app"),
            Ask(Alice, RepositoryActions.Delete, "team-a/app", TagOf("v1")),
            Ask(Alice, RepositoryActions.Overwrite, "team-a/app", TagOf("v1")),
            Ask(Alice, RepositoryActions.Pull, "x/base", address: "2001:db8::1"),
            Ask(Subject.Anonymous, RepositoryActions.Pull, "team-a/app"),
        ];
        foreach (var request in requests)
        {
            Use(policy, in request); // the subjects are met, and the one refusal by a deny is made
        }

        // What is allocated for each request shows in every round; what the runtime does by itself now and then, as
        // after a collection that the tests beside this one bring about, does not.
        var least = long.MaxValue;
        for (var round = 0; round < 5 && least > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1_000; i++)
            {
                Use(policy, in requests[i % requests.Length]);
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    private static void Use(PolicySet policy, in AccessRequest request)
    {
        policy.Evaluate(in request);
        policy.MayPullAnything(in request);
        policy.DependsOnTag(in request);
        policy.HasAnyGrant(request.Subject);
    }
}
