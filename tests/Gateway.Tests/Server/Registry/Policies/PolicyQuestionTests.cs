using System.Net;
using Gateway.Core.Authorization;
using Gateway.Server.Registry.Policies;

namespace Gateway.Tests.Server.Registry.Policies;

/// <summary>Questions as people write them become the very requests that the gateway decides.</summary>
public sealed class PolicyQuestionTests
{
    private static readonly PolicyQuestion Plain = new()
    {
        Subject = "user:alice",
        Time = PolicyTestFile.DefaultTime,
        Action = "pull",
        Repository = "team-a/app",
    };

    [Theory]
    [InlineData("alice", SubjectKind.User, "alice", "htpasswd")]
    [InlineData("user:corp/alice", SubjectKind.User, "corp/alice", "htpasswd")]
    [InlineData("robot:ci", SubjectKind.Robot, "ci", "robot")]
    [InlineData("anonymous", SubjectKind.Anonymous, "", "none")]
    public void Subject_WithoutAMethod_HasTheUsualOne(string text, SubjectKind kind, string name, string method)
    {
        Assert.True((Plain with { Subject = text }).TryBuild(out var request, out _));
        Assert.Equal((kind, name, method), (request.Subject.Kind, request.Subject.Name, request.Subject.Method));
    }

    [Fact]
    public void Workload_WithItsMethod_IsTheSubjectOfAJob()
    {
        Assert.False((Plain with { Subject = "workload:acme/app" }).TryBuild(out _, out var problem));
        Assert.Contains("needs a method", problem, StringComparison.Ordinal);
        Assert.True(
            (Plain with { Subject = "workload:acme/app", Method = "issuer:github" }).TryBuild(out var request, out _));
        Assert.Equal("issuer:github", request.Subject.Method);
    }

    // RequiredAccess asks for both at a push; a question that asked for push alone would have another answer.
    [Theory]
    [InlineData("push", RepositoryActions.Pull | RepositoryActions.Push)]
    [InlineData("pull", RepositoryActions.Pull)]
    [InlineData("delete", RepositoryActions.Delete)]
    public void Action_Push_AsksForPullAsWell(string action, RepositoryActions expected)
    {
        Assert.True((Plain with { Action = action }).TryBuild(out var request, out _));
        Assert.Equal(expected, request.Actions);
    }

    // A delete by digest may take any tag with it; without a tag the question must not be milder than the request.
    [Fact]
    public void Tag_OfADeleteWithoutOne_IsUnknownAndNotNone()
    {
        Assert.True((Plain with { Action = "delete" }).TryBuild(out var delete, out _));
        Assert.Equal(TagScope.Unknown, delete.Tag);
        Assert.True(Plain.TryBuild(out var pull, out _));
        Assert.Equal(TagScope.None, pull.Tag);
        Assert.True((Plain with { Action = "delete", Tag = "v1" }).TryBuild(out var tagged, out _));
        Assert.NotEqual(TagScope.Unknown, tagged.Tag);
    }

    [Fact]
    public void Address_OfIPv4InIPv6_IsTheIPv4ThatConditionsName()
    {
        Assert.True((Plain with { Address = "::ffff:10.0.0.7" }).TryBuild(out var request, out _));
        Assert.Equal(IPAddress.Parse("10.0.0.7"), request.ClientAddress);
    }

    [Theory]
    [InlineData("group:devs", "pull", "team-a/app", null, "127.0.0.1", "subject \"group:devs\"")]
    [InlineData("user:", "pull", "team-a/app", null, "127.0.0.1", "subject \"user:\"")]
    [InlineData("user: alice", "pull", "team-a/app", null, "127.0.0.1", "subject \"user: alice\"")]
    [InlineData("alice", "write", "team-a/app", null, "127.0.0.1", "action \"write\"")]
    [InlineData("alice", "pull", "Team-A/app", null, "127.0.0.1", "repository \"Team-A/app\"")]
    [InlineData("alice", "pull", "team-a/app:v1", null, "127.0.0.1", "repository \"team-a/app:v1\"")]
    [InlineData("alice", "pull", "team-a/app", ".v1", "127.0.0.1", "tag \".v1\"")]
    [InlineData("alice", "pull", "team-a/app", null, "10.0.0.0/8", "address \"10.0.0.0/8\"")]
    public void Question_WithoutSense_NamesThePartAndItsValue(
        string subject, string action, string repository, string? tag, string address, string part)
    {
        var question = Plain with
        {
            Subject = subject,
            Action = action,
            Repository = repository,
            Tag = tag,
            Address = address,
        };
        Assert.False(question.TryBuild(out _, out var problem));
        Assert.StartsWith(part, problem, StringComparison.Ordinal);
    }
}
