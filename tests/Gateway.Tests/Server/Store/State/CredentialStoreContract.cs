using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.State;

namespace Gateway.Tests.Server.Store.State;

/// <summary>What every store does. Each runs this suite against what it really keeps its data in.</summary>
public abstract class CredentialStoreContract
{
    /// <summary>A store, and others on the same data.</summary>
    private protected abstract Task<ICredentialStore> OpenAsync();

    [Fact]
    public async Task Add_EveryField_ComesBackByHashAndById()
    {
        await using var store = await OpenAsync();
        var (complete, plain) = (TestCredential.NewComplete("complete"), TestCredential.New("plain"));
        await store.AddAsync(complete, default);
        await store.AddAsync(plain, default);

        await using var other = await OpenAsync();
        foreach (var reader in new[] { store, other })
        {
            TestCredential.AssertSame(complete, await reader.FindAsync(complete.Hash, default));
            TestCredential.AssertSame(complete, await reader.FindAsync("complete", default));
            TestCredential.AssertSame(plain, await reader.FindAsync(plain.Hash, default));
            TestCredential.AssertSame(plain, await reader.FindAsync("plain", default));
        }
    }

    [Fact]
    public async Task Add_EveryKind_ComesBack()
    {
        await using var store = await OpenAsync();
        foreach (var kind in Enum.GetValues<CredentialKind>())
        {
            await store.AddAsync(TestCredential.New(kind.ToString()) with { Kind = kind }, default);
            Assert.Equal(kind, (await store.FindAsync(kind.ToString(), default))!.Kind);
        }
    }

    [Fact]
    public async Task Add_IdThatExists_IsRefusedAndChangesNothing()
    {
        await using var store = await OpenAsync();
        var first = TestCredential.New("one");
        await store.AddAsync(first, default);

        var second = first with { Hash = SecretHash.Of("another"), Name = "another" };
        var exception = await Assert.ThrowsAnyAsync<StateException>(() => store.AddAsync(second, default));

        Assert.Equal("A credential with this id or secret already exists.", exception.Message);
        TestCredential.AssertSame(first, await store.FindAsync("one", default));
        Assert.Null(await store.FindAsync(second.Hash, default));
        Assert.Single(await store.ListAsync(null, default));
    }

    [Fact]
    public async Task Add_SecretThatExists_IsRefusedAndChangesNothing()
    {
        await using var store = await OpenAsync();
        var first = TestCredential.New("one");
        await store.AddAsync(first, default);

        await Assert.ThrowsAnyAsync<StateException>(() => store.AddAsync(first with { Id = "two" }, default));

        TestCredential.AssertSame(first, await store.FindAsync(first.Hash, default));
        Assert.Null(await store.FindAsync("two", default));
        Assert.Single(await store.ListAsync(null, default));
    }

    [Fact]
    public async Task Find_Unknown_IsNull()
    {
        await using var store = await OpenAsync();

        Assert.Null(await store.FindAsync("nobody", default));
        Assert.Null(await store.FindAsync(SecretHash.Of("nothing"), default));
    }

    [Fact]
    public async Task List_All_NewestFirst()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("second", createdAt: TestCredential.Now.AddTicks(1)), default);
        await store.AddAsync(TestCredential.New("first", createdAt: TestCredential.Now), default);
        await store.AddAsync(TestCredential.New("third", createdAt: TestCredential.Now.AddTicks(2)), default);
        await store.AddAsync(
            TestCredential.New("third, added later", createdAt: TestCredential.Now.AddTicks(2)), default);

        Assert.Equal(["third, added later", "third", "second", "first"], await IdsAsync(store));
    }

    [Fact]
    public async Task List_Owner_ItsKindAndNameCountAndNothingElse()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("user's"), default);
        await store.AddAsync(TestCredential.New("robot's", TestCredential.RobotAlice), default);
        await store.AddAsync(TestCredential.New("al's", TestCredential.Alice with { Name = "al" }), default);
        await store.AddAsync(
            TestCredential.New("other method's", TestCredential.Alice with { Method = "ldap:corp" }), default);

        Assert.Equal(["other method's", "user's"], await IdsAsync(store, TestCredential.Alice));
        Assert.Equal(["robot's"], await IdsAsync(store, TestCredential.RobotAlice));
        Assert.Empty(await IdsAsync(store, TestCredential.Alice with { Name = "ALICE" }));
    }

    [Fact]
    public async Task List_ManyThousand_GivesEachOnce()
    {
        await using var store = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 2500).Select(i => store.AddAsync(TestCredential.New($"c{i}"), default)));

        var ids = await IdsAsync(store);

        Assert.Equal(2500, ids.Count);
        Assert.Equal(2500, ids.Distinct().Count());
    }

    [Fact]
    public async Task Revoke_Once_IsForGoodAndTold()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);
        var at = TestCredential.Now.AddSeconds(5);

        Assert.True(await store.RevokeAsync("one", at, default));
        Assert.False(await store.RevokeAsync("one", at.AddSeconds(1), default));
        Assert.False(await store.RevokeAsync("nobody", at, default));

        Assert.Equal(at, (await store.FindAsync("one", default))!.RevokedAt);
        Assert.Equal([new CredentialChange(CredentialChangeKind.Revoked, "one", at)], await ChangesAsync(store));
    }

    [Fact]
    public async Task RevokeAll_Subject_RevokesItsOwnAndItsAccessTokens()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);
        await store.AddAsync(TestCredential.New("two"), default);
        await store.AddAsync(TestCredential.New("revoked before"), default);
        await store.AddAsync(TestCredential.New("robot's", TestCredential.RobotAlice), default);
        await store.RevokeAsync("revoked before", TestCredential.Now, default);
        var at = TestCredential.Now.AddSeconds(1);

        Assert.Equal(2, await store.RevokeAllAsync(TestCredential.Alice, at, default));

        Assert.Equal(at, (await store.FindAsync("one", default))!.RevokedAt);
        Assert.Equal(at, (await store.FindAsync("two", default))!.RevokedAt);
        Assert.Equal(TestCredential.Now, (await store.FindAsync("revoked before", default))!.RevokedAt);
        Assert.Null((await store.FindAsync("robot's", default))!.RevokedAt);
        var changes = await ChangesAsync(store);
        Assert.Equal(
            new CredentialChange(CredentialChangeKind.Revoked, "revoked before", TestCredential.Now), changes[0]);
        Assert.Equal(["one", "two"], changes[1..3].Select(static change => change.Key).Order());
        Assert.All(changes[1..3], change => Assert.Equal((CredentialChangeKind.Revoked, at), (change.Kind, change.At)));
        Assert.Equal([new CredentialChange(CredentialChangeKind.SubjectRevoked, "user:alice", at)], changes[3..]);
    }

    [Fact]
    public async Task RevokeAll_SubjectWithoutCredentials_StillRevokesItsAccessTokens()
    {
        await using var store = await OpenAsync();

        Assert.Equal(0, await store.RevokeAllAsync(TestCredential.Alice, TestCredential.Now, default));

        Assert.Equal(
            [new CredentialChange(CredentialChangeKind.SubjectRevoked, "user:alice", TestCredential.Now)],
            await ChangesAsync(store));
    }

    [Fact]
    public async Task Shorten_EarlierEnd_IsTakenAndTold()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);
        var end = TestCredential.Now.AddHours(1).AddTicks(3);

        Assert.True(await store.ShortenAsync("one", end, default));
        Assert.False(await store.ShortenAsync("one", end, default));
        Assert.False(await store.ShortenAsync("one", end.AddTicks(1), default));
        Assert.False(await store.ShortenAsync("nobody", end, default));

        Assert.Equal(end, (await store.FindAsync("one", default))!.ExpiresAt);
        Assert.Equal([new CredentialChange(CredentialChangeKind.Shortened, "one", end)], await ChangesAsync(store));
    }

    [Fact]
    public async Task Shorten_RevokedCredential_DoesNothing()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);
        await store.RevokeAsync("one", TestCredential.Now, default);

        Assert.False(await store.ShortenAsync("one", TestCredential.Now.AddHours(1), default));

        Assert.Equal(TestCredential.Now.AddDays(90), (await store.FindAsync("one", default))!.ExpiresAt);
    }

    [Fact]
    public async Task RecordUses_SeveralOfOne_TheLatestWins()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);
        await store.AddAsync(TestCredential.New("unused"), default);
        var (four, six) = (IPAddress.Parse("192.0.2.4"), IPAddress.Parse("2001:db8::6"));

        await store.RecordUsesAsync([], default);
        await store.RecordUsesAsync(
            [
                new("one", TestCredential.Now, four), new("nobody", TestCredential.Now, four),
                new("one", TestCredential.Now.AddTicks(2), six),
            ],
            default);
        await store.RecordUsesAsync([new("one", TestCredential.Now.AddTicks(1), four)], default); // of a slower replica

        var used = await store.FindAsync("one", default);
        Assert.Equal((TestCredential.Now.AddTicks(2), six), (used!.LastUsedAt, used.LastUsedFrom));
        Assert.Null((await store.FindAsync("unused", default))!.LastUsedAt);
        Assert.Null(await store.FindAsync("nobody", default));
    }

    [Fact]
    public async Task ReadChanges_FromAPosition_GivesWhatCameAfter()
    {
        await using var store = await OpenAsync();
        await using var other = await OpenAsync();
        var empty = await other.ReadChangesAsync(0, default);
        Assert.Empty(empty.Changes);
        for (var i = 0; i < 3; i++)
        {
            await store.AddAsync(TestCredential.New($"c{i}"), default);
            await store.RevokeAsync($"c{i}", TestCredential.Now, default);
        }

        var first = await other.ReadChangesAsync(empty.Position, default);
        await store.RevokeAllAsync(TestCredential.RobotAlice, TestCredential.Now, default);
        var second = await other.ReadChangesAsync(first.Position, default);
        var third = await other.ReadChangesAsync(second.Position, default);

        Assert.Equal(["c0", "c1", "c2"], first.Changes.Select(static change => change.Key));
        Assert.Equal(["robot:alice"], second.Changes.Select(static change => change.Key));
        Assert.Empty(third.Changes);
        Assert.Equal(second.Position, third.Position);
        Assert.Equal(4, (await ChangesAsync(other)).Count);
    }

    [Fact]
    public async Task ReadChanges_ManyThousand_GivesEachOnceInOrder()
    {
        await using var store = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 2500).Select(i => store.AddAsync(TestCredential.New($"c{i}"), default)));

        await store.RevokeAllAsync(TestCredential.Alice, TestCredential.Now, default);

        var keys = (await ChangesAsync(store)).Select(static change => change.Key).ToList();
        Assert.Equal(2501, keys.Distinct().Count());
        Assert.Equal(2501, keys.Count);
        Assert.Equal("user:alice", keys[^1]);
    }

    [Fact]
    public async Task ReadChanges_WhileOthersWrite_MissesNone()
    {
        // A position given out before its change can be read would be passed over by whoever is further on.
        await using var store = await OpenAsync();
        await using var other = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 400).Select(i => store.AddAsync(TestCredential.New($"c{i}"), default)));
        var revoking = Task.WhenAll(Enumerable.Range(0, 400)
            .Select(
                i => Task.Run(() => (i % 2 == 0 ? store : other).RevokeAsync($"c{i}", TestCredential.Now, default))));

        var seen = new List<string>();
        var position = 0L;
        bool last;
        do
        {
            last = revoking.IsCompleted;
            var page = await other.ReadChangesAsync(position, default);
            seen.AddRange(page.Changes.Select(static change => change.Key));
            position = page.Position;
        }
        while (!last || seen.Count < 400);

        Assert.All(await revoking, Assert.True);
        Assert.Equal(Enumerable.Range(0, 400).Select(static i => $"c{i}").Order(), seen.Order());
    }

    [Fact]
    public async Task Changed_OwnChange_IsRaised()
    {
        await using var store = await OpenAsync();
        await store.AddAsync(TestCredential.New("one"), default);
        var raised = 0;
        store.Changed += () => Interlocked.Increment(ref raised);

        await store.RevokeAsync("one", TestCredential.Now, default);
        Assert.True(Volatile.Read(ref raised) >= 1);
        var before = Volatile.Read(ref raised);
        await store.RevokeAllAsync(TestCredential.Alice, TestCredential.Now, default);
        Assert.True(Volatile.Read(ref raised) > before);
    }

    [Fact]
    public async Task Blocks_EveryField_ComeBackToEveryReader()
    {
        await using var store = await OpenAsync();
        await using var other = await OpenAsync();
        var complete = new SubjectBlock("user:corp/zoë", TestCredential.Now, "root")
        {
            Reason = "left on 1 March, \"ticket\" 17 漢字 ;--'",
            Until = TestCredential.Now.AddDays(3).AddTicks(7),
        };
        var lifted = new SubjectBlock("robot:ci", TestCredential.Now, "root").Lift(
            TestCredential.Now.AddTicks(5), "admin");

        Assert.Empty((await other.ReadBlocksAsync("", default)).Blocks!);
        Assert.True(await store.WriteBlockAsync(complete, default));
        Assert.True(await store.WriteBlockAsync(lifted, default));

        foreach (var reader in new[] { store, other })
        {
            Assert.Equal([lifted, complete], await BlocksAsync(reader));
        }
    }

    [Fact]
    public async Task Blocks_OfSubjectsThatAreCalledAlike_AreOnesOfTheirOwn()
    {
        await using var store = await OpenAsync();
        string[] subjects = [
            "robot:alice", "user:Alice", "user:alice", "user:alice2", "user:corp/alice", "workload:github/alice",
        ];
        foreach (var subject in subjects)
        {
            Assert.True(await store.WriteBlockAsync(new SubjectBlock(subject, TestCredential.Now, "root"), default));
        }

        var block = (await BlocksAsync(store)).Single(static one => one.Subject == "user:alice");
        Assert.True(await store.WriteBlockAsync(block.Lift(TestCredential.Now.AddTicks(1), "root"), default));

        var blocks = await BlocksAsync(store);
        Assert.Equal(subjects, blocks.Select(static one => one.Subject));
        Assert.Equal("user:alice", Assert.Single(blocks, static one => one.LiftedAt is not null).Subject);
    }

    // Two operators at once, one of whose clocks is ahead: the later instant alone would undo what was not seen.
    [Fact]
    public async Task WriteBlock_MadeFromARecordThatIsNoLongerTheLast_ChangesNothing()
    {
        await using var store = await OpenAsync();
        var first = SubjectBlock.Create(null, "user:alice", TestCredential.Now, "root") with
        {
            Until = TestCredential.Now.AddHours(1),
        };
        Assert.True(await store.WriteBlockAsync(first, default));
        var lifted = first.Lift(TestCredential.Now.AddMinutes(5), "one");
        var again = SubjectBlock.Create(first, "user:alice", TestCredential.Now.AddSeconds(1), "other");

        Assert.True(await store.WriteBlockAsync(again, default));

        Assert.False(await store.WriteBlockAsync(lifted, default));
        Assert.False(
            await store.WriteBlockAsync(
                SubjectBlock.Create(null, "user:alice", TestCredential.Now.AddMinutes(5), "one"), default));
        var block = Assert.Single((await store.ReadBlocksAsync("", default)).Blocks!);
        Assert.Equal("other", block.By);
        Assert.Null(block.LiftedAt);
        Assert.True(await store.WriteBlockAsync(block.Lift(TestCredential.Now, "one"), default));
    }

    [Fact]
    public async Task Blocks_TwoOfOneSubject_TheLaterChangeHolds()
    {
        await using var store = await OpenAsync();
        var first = new SubjectBlock("user:alice", TestCredential.Now, "root") { Reason = "first" };
        var second = new SubjectBlock("user:alice", TestCredential.Now.AddTicks(1), "root") { Reason = "second" };

        Assert.True(await store.WriteBlockAsync(second, default));
        Assert.False(await store.WriteBlockAsync(first, default)); // out of an old backup
        Assert.False(await store.WriteBlockAsync(second with { Reason = "at the very same time" }, default));
        Assert.Equal([second], await BlocksAsync(store));

        var lifted = second.Lift(TestCredential.Now.AddTicks(2), "root");
        Assert.True(await store.WriteBlockAsync(lifted, default));
        Assert.False(await store.WriteBlockAsync(second, default));
        Assert.Equal([lifted], await BlocksAsync(store));
    }

    [Fact]
    public async Task Blocks_ManyWritersAtOnce_TheLatestOfEachSubjectHolds()
    {
        await using var store = await OpenAsync();
        await using var other = await OpenAsync();
        var order = Enumerable.Range(0, 200).ToArray();
        new Random(15).Shuffle(order);

        await Task.WhenAll(order.Select(i => Task.Run(() => (i % 3 == 0 ? store : other).WriteBlockAsync(
            new SubjectBlock($"user:u{i % 4}", TestCredential.Now.AddTicks(i), "root"), default))));

        foreach (var reader in new[] { store, other })
        {
            Assert.Equal(
                [("user:u0", 196), ("user:u1", 197), ("user:u2", 198), ("user:u3", 199)],
                (await BlocksAsync(reader)).Select(
                    static one => (one.Subject, (int)(one.At - TestCredential.Now).Ticks)));
        }
    }

    [Fact]
    public async Task ReadBlocks_FromAVersion_GivesThemWhereAnyChanged()
    {
        await using var store = await OpenAsync();
        await using var other = await OpenAsync();
        var block = new SubjectBlock("user:alice", TestCredential.Now, "root");
        var versions = new HashSet<string>();
        async Task ChangedAsync(int count)
        {
            var version = versions.LastOrDefault("");
            var page = await other.ReadBlocksAsync(version, default);
            Assert.Equal(count, page.Blocks!.Count);
            Assert.True(versions.Add(page.Version));
            Assert.Null((await other.ReadBlocksAsync(page.Version, default)).Blocks);
        }

        await ChangedAsync(0);
        await store.WriteBlockAsync(block, default);
        await ChangedAsync(1);
        await store.WriteBlockAsync(new SubjectBlock("user:bob", TestCredential.Now, "root"), default);
        await ChangedAsync(2);
        await store.WriteBlockAsync(block.Lift(TestCredential.Now.AddTicks(1), "root"), default);
        await ChangedAsync(2);
    }

    [Fact]
    public async Task ReadBlocks_WhileOthersWrite_MissesNone()
    {
        // A version that is given out before its block can be read would be taken for the last.
        await using var store = await OpenAsync();
        await using var other = await OpenAsync();
        var writing = Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() =>
            (i % 2 == 0 ? store : other).WriteBlockAsync(
                new SubjectBlock($"user:u{i}", TestCredential.Now, "root"), default))));

        var (version, known) = ("", SubjectBlocks.None);
        bool last;
        do
        {
            last = writing.IsCompleted;
            var page = await other.ReadBlocksAsync(version, default);
            (version, known) = (page.Version, known.With(page.Blocks ?? []));
        }
        while (!last);

        Assert.All(await writing, Assert.True);
        Assert.Equal(200, known.All.Count);
    }

    [Fact]
    public async Task Changed_OwnBlock_IsRaised_AndPruningLeavesIt()
    {
        await using var store = await OpenAsync();
        var raised = 0;
        store.Changed += () => Interlocked.Increment(ref raised);

        await store.WriteBlockAsync(new SubjectBlock("user:alice", TestCredential.Now.AddYears(-2), "root"), default);

        Assert.True(Volatile.Read(ref raised) >= 1);
        await store.PruneAsync(TestCredential.Now, default);
        Assert.Single(await BlocksAsync(store));
    }

    private static async Task<IReadOnlyList<SubjectBlock>> BlocksAsync(ICredentialStore store) =>
        [
            .. (await store.ReadBlocksAsync("", default)).Blocks!.OrderBy(
                static one => one.Subject, StringComparer.Ordinal),
        ];

    [Fact]
    public async Task Prune_WhatEndedLongAgo_IsForgottenAndNothingElse()
    {
        await using var store = await OpenAsync();
        var limit = TestCredential.Now.AddDays(-30);
        await store.AddAsync(TestCredential.New("expired before") with { ExpiresAt = limit.AddMinutes(-1) }, default);
        await store.AddAsync(TestCredential.New("revoked before"), default);
        await store.AddAsync(TestCredential.New("shortened before"), default);
        await store.AddAsync(TestCredential.New("expired after") with { ExpiresAt = limit.AddMinutes(1) }, default);
        await store.AddAsync(TestCredential.New("revoked after"), default);
        await store.AddAsync(
            TestCredential.New("expired after its revocation") with { ExpiresAt = limit.AddMinutes(-1) }, default);
        await store.AddAsync(TestCredential.New("alive"), default);
        await store.RevokeAsync("revoked before", limit.AddMinutes(-1), default);
        await store.ShortenAsync("shortened before", limit.AddMinutes(-2), default);
        await store.RevokeAsync("revoked after", limit.AddMinutes(1), default);
        await store.RevokeAsync("expired after its revocation", limit.AddMinutes(1), default);

        Assert.Equal(4, await store.PruneAsync(limit, default));
        Assert.Equal(0, await store.PruneAsync(limit, default));

        Assert.Equal(["alive", "revoked after", "expired after"], await IdsAsync(store));
        Assert.Equal(["alive", "revoked after", "expired after"], await IdsAsync(store, TestCredential.Alice));
        Assert.Null(await store.FindAsync(TestCredential.New("revoked before").Hash, default));
        Assert.Equal(
            ["revoked after", "expired after its revocation"],
            (await ChangesAsync(store)).Select(static change => change.Key));
    }

    [Fact]
    public async Task Identity_FindsTheCredential_AndIsGivenOnceOnly()
    {
        await using var store = await OpenAsync();
        var identity = SecretHash.Of("header.payload");
        var first = TestCredential.New("one") with { Identity = identity, KeptUntil = TestCredential.Now.AddDays(100) };
        await store.AddAsync(first, default);
        await store.AddAsync(TestCredential.New("plain"), default);

        TestCredential.AssertSame(first, await store.FindByIdentityAsync(identity, default));
        Assert.Null(await store.FindAsync(identity, default)); // what a token says is no secret
        Assert.Null(await store.FindByIdentityAsync(first.Hash, default));
        await Assert.ThrowsAnyAsync<StateException>(
            () => store.AddAsync(TestCredential.New("two") with { Identity = identity }, default));
        Assert.Null(await store.FindAsync("two", default));
    }

    [Fact]
    public async Task Prune_WhatMustBeKept_IsForgottenNoEarlier()
    {
        await using var store = await OpenAsync();
        var limit = TestCredential.Now.AddDays(-30);
        StoredCredential Kept(string id, TimeSpan until) => TestCredential.New(id) with
        {
            ExpiresAt = limit.AddDays(-1),
            Identity = SecretHash.Of(id),
            KeptUntil = limit + until,
        };
        await store.AddAsync(Kept("expired", TimeSpan.FromMinutes(1)), default);
        await store.AddAsync(Kept("revoked", TimeSpan.FromMinutes(1)), default);
        await store.AddAsync(Kept("shortened", TimeSpan.FromMinutes(1)) with { ExpiresAt = limit.AddDays(9) }, default);
        await store.AddAsync(Kept("over", TimeSpan.FromMinutes(-1)), default);
        await store.RevokeAsync("revoked", limit.AddDays(-2), default);
        await store.ShortenAsync("shortened", limit.AddDays(-2), default);

        Assert.Equal(1, await store.PruneAsync(limit, default));
        Assert.Equal(["expired", "revoked", "shortened"], (await IdsAsync(store)).Order());
        Assert.Null(await store.FindByIdentityAsync(SecretHash.Of("over"), default));

        Assert.Equal(3, await store.PruneAsync(limit.AddMinutes(2), default));
        Assert.Null(await store.FindByIdentityAsync(SecretHash.Of("revoked"), default));
    }

    [Fact]
    public async Task Prune_AfterIt_PositionsGoOn()
    {
        await using var store = await OpenAsync();
        await store.RevokeAllAsync(TestCredential.Alice, TestCredential.Now.AddDays(-40), default);
        var position = (await store.ReadChangesAsync(0, default)).Position;
        await store.PruneAsync(TestCredential.Now.AddDays(-30), default);

        await store.RevokeAllAsync(TestCredential.RobotAlice, TestCredential.Now, default);

        Assert.Equal(
            ["robot:alice"],
            (await store.ReadChangesAsync(position, default)).Changes.Select(static change => change.Key));
    }

    [Fact]
    public async Task Everything_FiftyAtOnceOverTwoReplicas_IsDoneExactlyOnce()
    {
        await using var store = await OpenAsync();
        await using var other = await OpenAsync();
        var stores = new[] { store, other };
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() =>
            stores[i % 2].AddAsync(TestCredential.New($"c{i}"), default))));

        // Everybody wants the same new id, and everybody revokes the same one.
        var added = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(async () =>
        {
            try
            {
                await stores[i % 2].AddAsync(
                    TestCredential.New("wanted") with { Hash = SecretHash.Of($"wanted {i}") }, default);
                return true;
            }
            catch (StateException)
            {
                return false;
            }
        })));
        var revoked = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() =>
            stores[i % 2].RevokeAsync("c7", TestCredential.Now, default))));

        Assert.Single(added, static done => done);
        Assert.Single(revoked, static done => done);
        Assert.Equal(51, (await IdsAsync(other)).Count);
        Assert.Single(await ChangesAsync(other));
    }

    [Fact]
    public async Task Add_Cancelled_Ends()
    {
        await using var store = await OpenAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => store.AddAsync(TestCredential.New("one"), new CancellationToken(canceled: true)));
    }

    private protected static async Task<List<CredentialChange>> ChangesAsync(ICredentialStore store)
    {
        var changes = new List<CredentialChange>();
        var page = await store.ReadChangesAsync(0, default);
        while (page.Changes.Count > 0)
        {
            changes.AddRange(page.Changes);
            page = await store.ReadChangesAsync(page.Position, default);
        }

        return changes;
    }

    private static async Task<List<string>> IdsAsync(ICredentialStore store, Subject? owner = null) =>
        [.. (await store.ListAsync(owner, default)).Select(static credential => credential.Id)];
}
