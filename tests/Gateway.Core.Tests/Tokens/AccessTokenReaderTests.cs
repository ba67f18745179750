using System.Collections.Frozen;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

/// <summary>
/// That what is written is read back, and nothing else is read. The table of attacks is in Gateway.Tests.
/// </summary>
public sealed class AccessTokenReaderTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.FromUnixTimeSeconds(1_767_225_600);

    private static readonly Gen<string> Text =
        Gen.Elements(
            "a", "alice", "team-a", "Köln/Düren", "日本", "\"quoted\"", "back\\slash", "line\nbreak", "\0", "<&+'>",
            "\u2028",
            "\U0001F433", " ");

    private static readonly Gen<RepositoryScope> Entry =
        from name in Gen.Elements("a", "team/app", "library/alpine", "x/y/z")
        from actions in Gen.Elements(
            RepositoryActions.Pull, RepositoryActions.Pull | RepositoryActions.Push, RepositoryActions.Push,
            RepositoryActions.Delete, ActionNames.All & ~RepositoryActions.Overwrite)
        select new RepositoryScope(RepositoryName.Parse(name), actions);

    private static readonly Gen<CredentialLimit?> Limit = Gen.Elements("", "**:pull", "team/**:pull,push a*/b:delete")
        .Select(static text => CredentialLimit.TryParse(text.Split(' '), out var limit, out _) ? limit : null);

    private static readonly Gen<Principal> Holder =
        from kind in Gen.Elements(SubjectKind.User, SubjectKind.Robot, SubjectKind.Workload)
        from name in Text
        from method in Text
        from groups in Gen.ListOf(Text)
        from names in Gen.ListOf(Text)
        from value in Text
        from limit in Limit
        from id in Gen.OneOf(Text.Select(static text => (string?)text), Gen.Constant<string?>(null))
        from evidence in Gen.OneOf(Text.Select(static text => (string?)text), Gen.Constant<string?>(null))
        select new Principal
        {
            Subject = new Subject
            {
                Kind = kind,
                Name = name,
                Method = method,
                Groups = [.. groups],
                Claims = names.Distinct().ToFrozenDictionary(static claim => claim, _ => value),
            },
            Limit = limit,
            CredentialId = id,
            Evidence = evidence,
        };

    private static readonly Gen<AccessTokenClaims> Claims =
        from holder in Gen.Frequency((5, Holder), (1, Gen.Constant(Principal.Anonymous)))
        from entries in Gen.ListOf(Entry)
        from catalog in Gen.Elements(true, false)
        from audience in Text
        from seconds in Gen.Choose(0, 1_000_000)
        from end in Gen.Elements<DateTimeOffset?>(null, Start)
        select new AccessTokenClaims
        {
            Issuer = "https://registry.test",
            SubjectName = holder.Subject.Name,
            Audience = audience,
            Id = "id",
            IssuedAt = Start.AddSeconds(seconds),
            ExpiresAt = Start.AddSeconds(seconds + 300),
            Access = AccessScope.Create(entries, catalog),
            Holder = holder,
            CredentialExpiresAt = end,
        };

    [Fact]
    public void TryRead_WhateverIsWritten_GivesItBack() =>
        Prop.ForAll(Claims.ToArbitrary(), static claims =>
        {
            var payload = AccessTokenWriter.Write(claims);

            Assert.True(AccessTokenReader.TryRead(payload.Span, out var read), Encoding.UTF8.GetString(payload.Span));
            Assert.Equal(
                claims with { Access = AccessScope.Empty, Holder = null },
                read with { Access = AccessScope.Empty, Holder = null });
            Assert.Equal(claims.Access.ToString(), read.Access.ToString());
            var (before, after) = (claims.Holder!, read.Holder!);
            Assert.Equal(before.Subject.ToString(), after.Subject.ToString());
            Assert.Equal(before.Subject.Method, after.Subject.Method);
            Assert.Equal(before.Subject.Groups, after.Subject.Groups);
            Assert.Equal(
                before.Subject.Claims.OrderBy(static c => c.Key), after.Subject.Claims.OrderBy(static c => c.Key));
            Assert.Equal(
                (before.Limit, before.CredentialId, before.Evidence),
                (after.Limit, after.CredentialId, after.Evidence));
            Assert.Equal((claims.IssuedAt, claims.ExpiresAt), (after.IssuedAt, after.ExpiresAt));
            Assert.Same(read.Access, after.Scope);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void TryRead_AnyByteChanged_NeverThrowsAndGivesNothingElseBack()
    {
        Assert.True(CredentialLimit.TryParse(["a/**:pull"], out var limit, out _));
        var payload = AccessTokenWriter.Write(new AccessTokenClaims
        {
            Issuer = "i",
            SubjectName = "s",
            Audience = "a",
            Id = "id",
            IssuedAt = Start,
            ExpiresAt = Start.AddSeconds(300),
            Access = AccessScope.Create(
                [new RepositoryScope(RepositoryName.Parse("a"), RepositoryActions.Pull)], catalog: true),
            Holder = new Principal
            {
                Subject = new Subject
                {
                    Kind = SubjectKind.User,
                    Name = "s",
                    Method = "m",
                    Groups = ["g"],
                    Claims = new Dictionary<string, string> { ["c"] = "v" }.ToFrozenDictionary(),
                },
                Limit = limit,
                CredentialId = "c",
                Evidence = "e",
            },
            CredentialExpiresAt = Start,
        }).ToArray();
        Assert.True(AccessTokenReader.TryRead(payload, out _));
        for (var i = 0; i < payload.Length; i++)
        {
            for (var value = 0; value < 256; value++)
            {
                var changed = (byte[])payload.Clone();
                changed[i] = (byte)value;
                if (AccessTokenReader.TryRead(changed, out var read))
                {
                    Assert.Equal(changed, AccessTokenWriter.Write(read).ToArray());
                }
            }
        }
    }

    [Fact]
    public void TryRead_TokenForAnUpstream_IsRefused()
    {
        var claims = new AccessTokenClaims
        {
            Issuer = "https://registry.test",
            SubjectName = "alice",
            Audience = "registry.test",
            Id = "id",
            IssuedAt = Start,
            ExpiresAt = Start.AddSeconds(300),
            Access = AccessScope.Empty,
        };
        var holder = new Principal
        {
            Subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" },
        };

        Assert.False(AccessTokenReader.TryRead(AccessTokenWriter.Write(claims).Span, out _));
        Assert.True(AccessTokenReader.TryRead(AccessTokenWriter.Write(claims with { Holder = holder }).Span, out _));
    }

    [Fact]
    public void TryRead_RandomBytes_NeverThrows()
    {
        var random = new System.Random(1);
        var bytes = new byte[200];
        for (var i = 0; i < 20_000; i++)
        {
            random.NextBytes(bytes);
            bytes[0] = (byte)'{';
            Assert.False(AccessTokenReader.TryRead(bytes.AsSpan(0, random.Next(bytes.Length)), out _));
        }
    }
}
