using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Server.Registry.Uploads;
using Gateway.Server.Requests.Pipeline;
using Gateway.Server.Store.Keys;
using Gateway.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit.Abstractions;

namespace Gateway.Tests.Server.Registry.Uploads;

/// <summary>The format: what it holds, and that nothing but a ticket of this very upload is one.</summary>
public sealed class UploadTicketsTests
{
    private const string Registry = "main";
    private const string Query = "?_state=abc_-%3D&x=%2F+{|}";

    private static readonly RepositoryName Repository = RepositoryName.Parse("team-a/app");
    private static readonly UploadId Upload = Id("0b6ad6a8-1f0c-4d0c-9c3e-1b6a0c2d4e5f");
    private static readonly DateTimeOffset Until = new(2026, 1, 1, 6, 0, 0, TimeSpan.Zero);
    private static readonly UploadTicket Ticket = new(UploadTicket.NameOf(User("alice")), Until, Query);

    private readonly ITestOutputHelper _output;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SigningKey _key = TestSigningKeys.Create(SigningAlgorithm.ES256);
    private readonly TestSigningKeys _keys;
    private readonly UploadTickets _tickets;

    public UploadTicketsTests(ITestOutputHelper output)
    {
        _output = output;
        _keys = new TestSigningKeys { Current = new SigningKeyRing([_key]) };
        _tickets = new UploadTickets(_keys, _time);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?")]
    [InlineData(Query)]
    public void Read_OfWhatWasWritten_GivesItBack(string query)
    {
        var ticket = Ticket with { UpstreamQuery = query };

        Assert.Equal(ticket, Read(Write(ticket)));
        Assert.True(ticket.IsOf(User("alice")));
        Assert.Equal("***", ticket.ToString());
    }

    [Fact]
    public void Write_LongestQuery_FitsIntoATarget()
    {
        var ticket = Ticket with { UpstreamQuery = "?" + new string('a', RegistryLocation.MaxQueryLength - 1) };

        var text = Write(ticket);

        Assert.Equal(ticket, Read(text));
        var name = new string('a', RepositoryName.MaxLength);
        var target = $"/v2/{name}/blobs/uploads/{new string('u', UploadId.MaxLength)}?_ticket={text}"
            + $"&digest=sha512%3A{new string('0', 128)}";
        Assert.Equal(text, RegistryRequestParser.Parse("PUT", target).Request?.Parameters.Ticket);
        Assert.Null(Read(Write(ticket with { UpstreamQuery = ticket.UpstreamQuery + "a" }))); // bounded, even if signed
    }

    [Fact]
    public void Read_ThatReachesFurtherThanAnyWindow_IsNone()
    {
        var furthest = _time.GetUtcNow() + TimeSpan.FromHours(24) + TimeSpan.FromSeconds(60);
        Assert.NotNull(Read(Write(Ticket with { ContinueUntil = furthest })));
        Assert.Null(Read(Write(Ticket with { ContinueUntil = furthest.AddSeconds(1) })));
    }

    [Fact]
    public void Write_TheSameTicketTwice_GivesOneText() => Assert.Equal(Write(Ticket), Write(Ticket));

    [Fact]
    public void Read_ForAnotherContext_IsNone()
    {
        var text = Write(Ticket);

        Assert.NotNull(_tickets.Read(text, Registry, Repository, Upload)); // the neighbour
        Assert.Null(_tickets.Read(text, "other", Repository, Upload));
        Assert.Null(_tickets.Read(text, Registry, RepositoryName.Parse("team-a/other"), Upload));
        Assert.Null(_tickets.Read(text, Registry, RepositoryName.Parse("team-a/ap"), Upload));
        Assert.Null(_tickets.Read(text, Registry, Repository, Id("0b6ad6a8-1f0c-4d0c-9c3e-1b6a0c2d4e50")));
    }

    [Fact]
    public void Read_ForAContextWhoseTextsJoinToTheSame_IsNone()
    {
        // Without lengths between them, these contexts would be the same bytes.
        var text = _tickets.Write(Ticket, "ab", RepositoryName.Parse("cd"), Id("ef"));

        Assert.Null(_tickets.Read(text, "a", RepositoryName.Parse("bcd"), Id("ef")));
        Assert.Null(_tickets.Read(text, "abc", RepositoryName.Parse("d"), Id("ef")));
        Assert.Null(_tickets.Read(text, "ab", RepositoryName.Parse("c"), Id("def")));
        Assert.Null(_tickets.Read(text, "ab", RepositoryName.Parse("cde"), Id("f")));
        Assert.NotNull(_tickets.Read(text, "ab", RepositoryName.Parse("cd"), Id("ef")));
    }

    [Fact]
    public void Read_OfAnOlderKey_WorksUntilThatKeyIsRetired()
    {
        var old = Write(Ticket);
        var next = TestSigningKeys.Create(SigningAlgorithm.ES256, _time.GetUtcNow() + TimeSpan.FromMinutes(10));

        _keys.Current = new SigningKeyRing([_key, next]); // published, not active yet: other replicas may not know it
        Assert.NotNull(Read(old));
        Assert.Equal(old, Write(Ticket));
        _time.Advance(TimeSpan.FromMinutes(10));
        var renewed = Write(Ticket);
        Assert.NotEqual(old, renewed);
        Assert.NotNull(Read(old));
        Assert.NotNull(Read(renewed));
        _keys.Current = new SigningKeyRing([next]); // retired
        Assert.Null(Read(old));
        Assert.NotNull(Read(renewed));
    }

    [Fact]
    public void Read_OnAnotherReplicaWithTheSameKeys_Works() =>
        Assert.Equal(
            Ticket,
            new UploadTickets(new TestSigningKeys { Current = new SigningKeyRing([_key]) }, _time).Read(
                Write(Ticket), Registry, Repository, Upload));

    [Fact]
    public void Read_OfAForeignKeyUnderOursName_IsNone()
    {
        // The hint says which key to try; only the HMAC proves anything.
        var foreign = new UploadTickets(new TestSigningKeys(), _time);
        var forged = Base64Url.DecodeFromChars(foreign.Write(Ticket, Registry, Repository, Upload));
        Base64Url.DecodeFromChars(Write(Ticket)).AsSpan(1, 4).CopyTo(forged.AsSpan(1));

        Assert.Null(Read(Base64Url.EncodeToString(forged)));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(0, false)]
    [InlineData(2, false)] // signed by a newer gateway with the same keys: not understood, so not taken
    [InlineData(255, false)]
    public void Read_OfARightlySignedTicket_DependsOnItsVersion(byte version, bool accepted)
    {
        // The format once more, independently of the code that writes it.
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(version);
            writer.Write(SHA256.HashData(Encoding.ASCII.GetBytes(_key.Id)).AsSpan(0, 4));
            writer.Write(BinaryPrimitives.ReverseEndianness(Until.ToUnixTimeSeconds()));
            writer.Write(SHA256.HashData("htpasswd\nuser:alice"u8));
            writer.Write(Encoding.ASCII.GetBytes(Query));
        }

        using var signed = new MemoryStream();
        foreach (var part in new[]
        {
            Encoding.UTF8.GetBytes(Registry), Encoding.UTF8.GetBytes(Repository.Value),
            Encoding.UTF8.GetBytes(Upload.Value),
            bytes.ToArray(),
        })
        {
            signed.Write([0, 0, (byte)(part.Length >> 8), (byte)part.Length]);
            signed.Write(part);
        }

        bytes.Write(HMACSHA256.HashData(_key.DeriveKey("upload ticket"), signed.ToArray()));
        var text = Base64Url.EncodeToString(bytes.ToArray());

        Assert.Equal(accepted ? Ticket : null, Read(text));
        Assert.Equal(accepted, text == Write(Ticket));
    }

    [Fact]
    public void Read_OfAnotherSpellingOfTheSameBytes_IsNone()
    {
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        foreach (var query in new[] { "", "?", "??" }) // every number of unused bits
        {
            var text = Write(Ticket with { UpstreamQuery = query });
            var bytes = Base64Url.DecodeFromChars(text);
            var spellings = Alphabet.Select(c => text[..^1] + c)
                .Concat([text + "=", text + "==", text + " ", " " + text, text + "\n", text.Insert(9, "\t")])
                .Where(other => other != text);

            Assert.All(spellings, other => Assert.Null(Read(other)));
            Assert.Equal(bytes, Base64Url.DecodeFromChars(text));
            Assert.NotNull(Read(text));
        }
    }

    [Fact]
    public void Read_OfEveryBitFlippedAndEveryLength_IsNone()
    {
        var bytes = Base64Url.DecodeFromChars(Write(Ticket));
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var changed = bytes.ToArray();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(Read(Base64Url.EncodeToString(changed)));
        }

        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Null(Read(Base64Url.EncodeToString(bytes.AsSpan(0, length))));
            Assert.Null(Read(Base64Url.EncodeToString(bytes.AsSpan(bytes.Length - length))));
        }

        Assert.Null(Read(Base64Url.EncodeToString([.. bytes, 0])));
        Assert.Null(Read(new string('A', 5600)));
        Assert.Null(Read(new string('A', 1_000_000)));
    }

    [Fact]
    public void Read_OfManyMutations_AcceptsNone()
    {
        const int Mutations = 200_000;
        var seed = Random.Shared.Next();
        _output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var good = new[] { "", "?", Query, "?_state=" + new string('x', 400) }
            .Select(query => Write(Ticket with { UpstreamQuery = query })).ToArray();
        for (var i = 0; i < Mutations; i++)
        {
            var text = Mutate(good[random.Next(good.Length)], good[random.Next(good.Length)], random);
            if (!good.Contains(text))
            {
                Assert.True(Read(text) is null, $"seed {seed}: accepted {text}");
            }
        }
    }

    [Fact]
    public void NameOf_Subjects_TellsKindNameAndMethodApart()
    {
        Subject[] subjects =
        [
            User("alice"), User("bob"), User("alice", "ldap:corp"), User("alice", "oidc:corp"),
            new() { Kind = SubjectKind.Robot, Name = "alice", Method = "htpasswd" },
            new() { Kind = SubjectKind.Workload, Name = "alice", Method = "htpasswd" },
            Subject.Anonymous, User("anonymous", "none"),
        ];

        Assert.Equal(subjects.Length, subjects.Select(UploadTicket.NameOf).Distinct().Count());
        Assert.Equal(UploadTicket.NameOf(User("alice")), UploadTicket.NameOf(User("alice") with { Groups = ["x"] }));
    }

    private static string Mutate(string text, string other, Random random)
    {
        const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ .%é\0";
        var at = random.Next(text.Length);
        var character = Characters[random.Next(Characters.Length)].ToString();
        return random.Next(8) switch
        {
            0 => text.Remove(at, 1),
            1 => text.Insert(at, character),
            2 => text.Remove(at, 1).Insert(at, character),
            3 => text[..at] + other[Math.Min(at, other.Length)..],
            4 => text[..at] + other,
            5 => text[at..] + text[..at],
            6 => text.Remove(at, Math.Min(random.Next(1, 40), text.Length - at)),
            _ => Mutate(Mutate(text + character, other, random) + "A", other, random)[..^1],
        };
    }

    private static UploadId Id(string text) =>
        UploadId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private static Subject User(string name, string method = "htpasswd") =>
        new() { Kind = SubjectKind.User, Name = name, Method = method };

    private string Write(UploadTicket ticket) => _tickets.Write(ticket, Registry, Repository, Upload);

    private UploadTicket? Read(string text) => _tickets.Read(text, Registry, Repository, Upload);
}
