using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Backup;
using Gateway.Foundation.Configuration;

namespace Gateway.Tests.Backup;

/// <summary>What an archive is refused for, each beside the archive that is accepted.</summary>
public sealed class ArchiveTests : IDisposable
{
    private const string Passphrase = "correct horse battery staple";

    private readonly BackupFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Encrypted_AByteFlippedAnywhere_IsRefused()
    {
        await MakeAsync(encrypted: true);
        var whole = await File.ReadAllBytesAsync(_folder.Archive);
        Verify(Passphrase);

        foreach (var position in Positions(whole.Length))
        {
            var changed = (byte[])whole.Clone();
            changed[position] ^= 0x20;
            await File.WriteAllBytesAsync(_folder.Archive, changed);

            var refused = Assert.Throws<ProblemException>(() => Verify(Passphrase));
            AssertSaysNoSecret(refused);
        }
    }

    [Fact]
    public async Task Plain_AByteFlippedAnywhere_IsRefusedOrChangesNothing()
    {
        await MakeAsync(encrypted: false);
        var whole = await File.ReadAllBytesAsync(_folder.Archive);
        var manifest = Verify(null).Write();
        var refusals = 0;

        var positions = Positions(whole.Length).ToList();
        foreach (var position in positions)
        {
            var changed = (byte[])whole.Clone();
            changed[position] ^= 0x20;
            await File.WriteAllBytesAsync(_folder.Archive, changed);
            try
            {
                Assert.Equal(manifest, Verify(null).Write()); // every file's hash is in it, and was compared

                // Only what unpacks to the same bytes: which compressor and system it was (RFC 1952), bits that fill up
                // a byte, and how far back a run of zeros is copied from (RFC 1951, section 3.2.3).
                Assert.True(Unpacked(changed).SequenceEqual(Unpacked(whole)), $"position {position} of {whole.Length}");
            }
            catch (ProblemException)
            {
                refusals++;
            }
        }

        Assert.True(refusals >= positions.Count * 9 / 10, $"{refusals} of {positions.Count}");
    }

    private static byte[] Unpacked(byte[] archive)
    {
        using var content = new MemoryStream();
        using var packed = new GZipStream(new MemoryStream(archive), CompressionMode.Decompress);
        packed.CopyTo(content);
        return content.ToArray();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CutShortAnywhere_OrWithSomethingBehind_IsRefused(bool encrypted)
    {
        await MakeAsync(encrypted, fill: 120_000); // more than one chunk
        var whole = await File.ReadAllBytesAsync(_folder.Archive);
        var passphrase = encrypted ? Passphrase : null;
        Verify(passphrase);

        int[] lengths =
        [
            0, 1, 7, 8, 38, 39, 54, 55, SealedFormat.HeaderLength + SealedFormat.ChunkLength + SealedFormat.TagLength,
            whole.Length / 2, whole.Length - 17, whole.Length - 16, whole.Length - 9, whole.Length - 8,
            whole.Length - 4, whole.Length - 1,
        ];
        foreach (var length in lengths)
        {
            await File.WriteAllBytesAsync(_folder.Archive, whole[..length]);
            Assert.Throws<ProblemException>(() => Verify(passphrase));
        }

        foreach (var more in new byte[][] { [0], [1, 2, 3, 4], whole })
        {
            await File.WriteAllBytesAsync(_folder.Archive, [.. whole, .. more]);
            Assert.Throws<ProblemException>(() => Verify(passphrase));
        }
    }

    [Fact]
    public async Task Encrypted_ChunksInAnotherOrder_AreRefused()
    {
        await MakeAsync(encrypted: true, fill: 300_000);
        var whole = await File.ReadAllBytesAsync(_folder.Archive);
        const int chunk = SealedFormat.ChunkLength + SealedFormat.TagLength;
        Assert.True(whole.Length > SealedFormat.HeaderLength + (3 * chunk));
        var (first, second) =
            (whole[SealedFormat.HeaderLength..][..chunk], whole[SealedFormat.HeaderLength..][chunk..(2 * chunk)]);
        var rest = whole[(SealedFormat.HeaderLength + (2 * chunk))..];
        var header = whole[..SealedFormat.HeaderLength];

        foreach (var changed in new byte[][]
        {
            [.. header, .. second, .. first, .. rest], [.. header, .. first, .. first, .. rest],
            [.. header, .. first, .. rest],
            [.. header, .. first, .. second, .. second, .. rest],
        })
        {
            await File.WriteAllBytesAsync(_folder.Archive, changed);
            Assert.Throws<ProblemException>(() => Verify(Passphrase));
        }
    }

    [Fact]
    public async Task Passphrase_AnotherOrNoneOrOneTooMany_IsRefused()
    {
        await MakeAsync(encrypted: true);
        Verify(Passphrase);
        Assert.Contains("cannot be decrypted", Refusal("another passphrase"), StringComparison.Ordinal);
        Assert.Contains("is encrypted", Refusal(null), StringComparison.Ordinal);

        await MakeAsync(encrypted: false);
        Verify(null);
        Assert.Contains(
            "a passphrase is given, but the backup is not encrypted", Refusal(Passphrase), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Encrypted_NothingReadableIsInIt()
    {
        await MakeAsync(encrypted: true);
        var text = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(_folder.Archive));

        Assert.DoesNotContain("manifest", text, StringComparison.Ordinal);
        Assert.DoesNotContain(BackupFolder.UpstreamPassword, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sealed_AWeakerDerivationInItsHeader_IsRefused()
    {
        await MakeAsync(encrypted: true);
        var whole = await File.ReadAllBytesAsync(_folder.Archive);
        (whole[8], whole[9], whole[10], whole[11]) = (0, 0, 0, 1);
        await File.WriteAllBytesAsync(_folder.Archive, whole);

        Assert.Contains("header is malformed", Refusal(Passphrase), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_RewrittenWithoutChange_IsAccepted()
    {
        await MakeAsync(encrypted: false);

        Rewrite(static entries => entries);

        Verify(null);
    }

    [Theory]
    [InlineData("extra", "a file that its manifest does not list")]
    [InlineData("missing", "holds another file where its manifest lists")]
    [InlineData("cut", "lacks a file that its manifest lists")]
    [InlineData("order", "holds another file where its manifest lists")]
    [InlineData("content", "the content of a file was changed")]
    [InlineData("size", "does not have the size that the manifest lists")]
    [InlineData("symlink", "something that is not a file (SymbolicLink)")]
    [InlineData("hardlink", "something that is not a file (HardLink)")]
    [InlineData("folder", "something that is not a file (Directory)")]
    [InlineData("no manifest", "holds another file where its manifest lists manifest.json")]
    public async Task Plain_AnotherTar_IsRefused(string change, string message)
    {
        await MakeAsync(encrypted: false);

        Rewrite(entries =>
        {
            var at = entries.FindIndex(static entry => entry.Name == "files/users.htpasswd");
            var content = entries[at].Content;
            switch (change)
            {
                case "extra":
                    entries.Add(new Entry("files/extra", [1]));
                    break;
                case "missing":
                    entries.RemoveAt(at);
                    break;
                case "cut":
                    entries.RemoveRange(at, entries.Count - at);
                    break;
                case "order":
                    entries.Reverse(at, 2);
                    break;
                case "content":
                    entries[at] = entries[at] with { Content = [(byte)(content[0] ^ 1), .. content[1..]] };
                    break;
                case "size":
                    entries[at] = entries[at] with { Content = [.. content, 10] };
                    break;
                case "symlink":
                    entries[at] = entries[at] with { Type = TarEntryType.SymbolicLink };
                    break;
                case "hardlink":
                    entries[at] = entries[at] with { Type = TarEntryType.HardLink };
                    break;
                case "folder":
                    entries[at] = entries[at] with { Type = TarEntryType.Directory };
                    break;
                default:
                    entries.RemoveAt(0);
                    break;
            }

            return entries;
        });

        Assert.Contains(message, Refusal(null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../escaped", "an unsafe path")]
    [InlineData("policies/../../escaped", "an unsafe path")]
    [InlineData("/etc/../escaped", "an unsafe path")]
    [InlineData("./escaped", "an unsafe path")]
    [InlineData("a//b", "an unsafe path")]
    [InlineData("", "an unsafe path")]
    [InlineData("a\\b", "an unsafe path")]
    [InlineData("a\nb", "an unsafe path")]
    [InlineData("gateway.yaml", "names a file twice")]
    [InlineData("gateway.yaml/below", "below another file")]
    public async Task Manifest_AHarmfulPath_IsRefusedAlthoughTheTarAgrees(string path, string message)
    {
        await MakeAsync(encrypted: false);
        Rename("users.htpasswd", path);

        Assert.Contains(message, Refusal(null), StringComparison.Ordinal);
        Assert.Equal(78, (await _folder.RestoreAsync()).Code);
        Assert.False(File.Exists(Path.Combine(_folder.Root, "escaped")));
    }

    [Fact]
    public async Task Manifest_AHarmlessPath_IsAccepted()
    {
        await MakeAsync(encrypted: false);
        Rename("users.htpasswd", "below/users..htpasswd");

        Verify(null);
    }

    [Theory]
    [InlineData("format", "2", "a format that this gateway does not know")]
    [InlineData("configuration", "\"other.yaml\"", "does not name the configuration file")]
    [InlineData("configuration", "\"policies/policy.yaml\"", "does not name the configuration file")]
    [InlineData("stateFolder", "\"../state\"", "or the state folder")]
    [InlineData("unknown", "1", "the manifest is malformed")]
    [InlineData("entries", "null", "the manifest is malformed")]
    public async Task Manifest_WithAnotherMember_IsRefused(string member, string value, string message)
    {
        await MakeAsync(encrypted: false);
        ChangeManifest(manifest => manifest[member] = JsonNode.Parse(value));

        Assert.Contains(message, Refusal(null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("size", "-1", "an impossible size")]
    [InlineData("size", "9000000000000000000", "an impossible size")]
    [InlineData("size", "67108865", "an impossible size")]
    [InlineData("mode", "\"4755\"", "invalid rights or an invalid hash")]
    [InlineData("sha256", "\"00\"", "invalid rights or an invalid hash")]
    public async Task Manifest_AnEntryWithAnotherMember_IsRefused(string member, string value, string message)
    {
        await MakeAsync(encrypted: false);
        ChangeManifest(manifest => manifest["entries"]![1]![member] = JsonNode.Parse(value));

        Assert.Contains(message, Refusal(null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_ABombBehindTheEnd_IsNotUnpacked()
    {
        await MakeAsync(encrypted: false);
        var whole = await File.ReadAllBytesAsync(_folder.Archive);
        using var more = new MemoryStream();
        await using (var gzip = new GZipStream(more, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(new byte[64 * 1024 * 1024]);
        }

        await File.WriteAllBytesAsync(_folder.Archive, [.. whole, .. more.ToArray()]); // a second member, all zeros
        Assert.Contains("more than its manifest lists", Refusal(null), StringComparison.Ordinal);
    }

    private static IEnumerable<int> Positions(int length) =>
        Enumerable.Range(0, Math.Min(64, length))
            .Concat(Enumerable.Range(0, 40).Select(i => (int)((long)i * length / 40)))
            .Concat(Enumerable.Range(length - 24, 24))
            .Distinct();

    private static void AssertSaysNoSecret(Exception exception) =>
        Assert.DoesNotContain(Passphrase, exception.ToString(), StringComparison.Ordinal);

    private async Task MakeAsync(bool encrypted, int fill = 0)
    {
        if (!Directory.Exists(_folder.State))
        {
            await _folder.FillAsync();
        }

        if (fill > 0)
        {
            _folder.Write("certs/tls.crt", Convert.ToBase64String(RandomNumberGenerator.GetBytes(fill)));
        }

        var (code, _, error) = await _folder.BackupAsync(
            encrypted ? ["--force", "--passphrase-file", _folder.Passphrase()] : ["--force"]);
        Assert.True(code == 0, error);
    }

    private BackupManifest Verify(string? passphrase) =>
        new ArchiveReader(_folder.Archive, passphrase).Read(static (_, _) => null, CancellationToken.None);

    private string Refusal(string? passphrase) => Assert.Throws<ProblemException>(() => Verify(passphrase)).Message;

    private void Rename(string from, string to) => Rewrite(entries =>
    {
        var name = to.StartsWith('/') ? "absolute" + to : "files/" + to;
        var at = entries.FindIndex(entry => entry.Name == "files/" + from);
        entries[at] = entries[at] with { Name = name };
        ChangeManifest(entries, manifest =>
            manifest["entries"]!.AsArray().Single(entry => entry!["path"]!.GetValue<string>() == from)!["path"] = to);
        return entries;
    });

    private void ChangeManifest(Action<JsonNode> change) => Rewrite(entries =>
    {
        ChangeManifest(entries, change);
        return entries;
    });

    // With its hash, as somebody would who knows the format.
    private static void ChangeManifest(List<Entry> entries, Action<JsonNode> change)
    {
        var manifest = JsonNode.Parse(entries[0].Content)!;
        change(manifest);
        entries[0] = entries[0] with { Content = Encoding.UTF8.GetBytes(manifest.ToJsonString()) };
        entries[^1] = entries[^1] with
        {
            Content = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(entries[0].Content)) + "\n"),
        };
    }

    private void Rewrite(Func<List<Entry>, List<Entry>> change)
    {
        var entries = new List<Entry>();
        using (var gzip = new GZipStream(File.OpenRead(_folder.Archive), CompressionMode.Decompress))
        using (var tar = new TarReader(gzip))
        {
            while (tar.GetNextEntry() is { } entry)
            {
                using var content = new MemoryStream();
                entry.DataStream?.CopyTo(content);
                entries.Add(new Entry(entry.Name, content.ToArray()));
            }
        }

        using var output = File.Create(_folder.Archive);
        using var compressed = new GZipStream(output, CompressionLevel.Optimal);
        using var writer = new TarWriter(compressed, TarEntryFormat.Pax);
        foreach (var entry in change(entries))
        {
            var written = new PaxTarEntry(entry.Type, entry.Name);
            if (entry.Type == TarEntryType.RegularFile)
            {
                written.DataStream = new MemoryStream(entry.Content);
            }
            else if (entry.Type != TarEntryType.Directory)
            {
                written.LinkName = "/etc/passwd";
            }

            writer.WriteEntry(written);
        }
    }

    private sealed record Entry(string Name, byte[] Content)
    {
        public TarEntryType Type { get; init; } = TarEntryType.RegularFile;
    }
}
