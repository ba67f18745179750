using Gateway.Server.SignIn.Authentication;

namespace Gateway.Tests.Server.SignIn.Authentication;

public class FailureWorkTests
{
    private static readonly WorkItem Fallback = new(HashScheme.Bcrypt, 10);

    [Fact]
    public void For_FileOfManyCosts_AddsUpToTheSameForEveryName()
    {
        PasswordHash[] hashes =
        [
            Hash("$2y$08$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe"),
            Hash("$2b$10$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe"),
            Hash("$2a$12$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe"),
            Hash("$y$j7T$HbYJABc6j3d/Z6fa7OUQQ/$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0"),
            Hash("$y$j9T$HbYJABc6j3d/Z6fa7OUQQ/$vq7xRRI6jN65vm8eG6HDNfg4HTUfVH5OippASsFPdC0"),
            Hash("$5$s$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9"),
            Hash("$5$rounds=70000$s$azOwbpkvuuBKkE82dQPwTsQE8JyT9Fflpr9aKid3aT9"),
        ];
        var work = new FailureWork(hashes, Fallback);
        var unknown = Total(work.For(null));
        Assert.Equal(
            new SortedDictionary<HashScheme, long>
            {
                [HashScheme.Bcrypt] = 1 << 12,
                [HashScheme.Yescrypt] = 1 << 5,
                [HashScheme.Sha256Crypt] = 70000,
            },
            unknown);
        foreach (var hash in hashes)
        {
            Assert.Equal(unknown, Total([new WorkItem(hash.Scheme, hash.Cost), .. work.For(hash)]));
        }
    }

    [Fact]
    public void For_UniformFile_IsOneHashForUnknownNamesAndNoneMoreForKnownOnes()
    {
        var hash = Hash("$2y$12$JVZo0SjMIkIr4aperbvjSeGfM8NCbnqEIQTXPpLqYQwWM8fRPquHe");
        var work = new FailureWork([hash, hash], Fallback);
        Assert.Equal([new WorkItem(HashScheme.Bcrypt, 12)], work.For(null));
        Assert.Empty(work.For(hash));
    }

    [Fact]
    public void For_EmptyFile_IsTheFallback() => Assert.Equal([Fallback], new FailureWork([], Fallback).For(null));

    private static SortedDictionary<HashScheme, long> Total(IEnumerable<WorkItem> items) => new(items
        .GroupBy(item => item.Scheme)
        .ToDictionary(
            group => group.Key,
            group => group.Sum(
                item => group.Key is HashScheme.Sha256Crypt or HashScheme.Sha512Crypt ? item.Cost : 1L << item.Cost)));

    private static PasswordHash Hash(string text) =>
        PasswordHash.TryParse(text, out var hash, out var refusal) ? hash : throw new ArgumentException(refusal.What);
}
