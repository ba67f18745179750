#pragma warning disable CA1416 // the gateway runs on Linux
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Store.Keys;
using Gateway.Tests.Server.Host.Configuration;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Store.Keys;

public sealed class KeyFolderTests : IDisposable
{
    private const UnixFileMode Mode600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Mode700 = Mode600 | UnixFileMode.UserExecute;
    private readonly KeyStage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void EnsureKey_NoFolder_MakesOneKeyThatOnlyTheOwnerReads()
    {
        _stage.Open().EnsureKey();

        var file = Assert.Single(_stage.KeyFiles());
        Assert.Equal(Mode600, File.GetUnixFileMode(file));
        Assert.Equal(Mode700, File.GetUnixFileMode(_stage.Folder));
        Assert.Equal(Mode700, File.GetUnixFileMode(Path.GetDirectoryName(_stage.Folder)!));
        var key = Assert.Single(_stage.Ring().Keys);
        Assert.Equal((SigningAlgorithm.ES256, _stage.Time.GetUtcNow()), (key.Algorithm, key.ActiveFrom));
    }

    [Fact]
    public void EnsureKey_SecondStart_KeepsTheKey()
    {
        _stage.Open().EnsureKey();
        var first = _stage.Ring().Keys.Single();
        _stage.Time.Advance(TimeSpan.FromDays(1));

        _stage.Open().EnsureKey();

        Assert.Equal(first.Id, _stage.Ring().Keys.Single().Id);
        Assert.Equal(first.ActiveFrom, _stage.Ring().Keys.Single().ActiveFrom);
    }

    [Fact]
    public async Task EnsureKey_ManyAtOnce_EndWithTheSameKey()
    {
        for (var round = 0; round < 10; round++)
        {
            using var stage = new KeyStage();
            using var gate = new Barrier(8);
            var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    gate.SignalAndWait();
                    stage.Open().EnsureKey();
                    return stage.Ring().Keys.Single().Id;
                },
                TaskCreationOptions.LongRunning)));

            Assert.Single(ids.Distinct());
        }
    }

    [Fact]
    public void EnsureKey_OtherAlgorithmConfigured_MakesAKeyOfItAndLeavesTheOther()
    {
        _stage.Open().EnsureKey();
        _stage.Options.Algorithm = SigningAlgorithm.RS256;

        _stage.Open().EnsureKey();

        Assert.Equal(SigningAlgorithm.RS256, Assert.Single(_stage.Ring().Keys).Algorithm);
        Assert.Equal(2, _stage.KeyFiles().Length);
    }

    [Fact]
    public void Check_NoKeys_FindsNothingAndMakesNothing()
    {
        Assert.Empty(_stage.Open().Check());

        Assert.False(Directory.Exists(Path.GetDirectoryName(_stage.Folder)));
    }

    [Fact]
    public void Check_FileInTheWay_SaysSo()
    {
        var file = _stage.Write("file", "");
        var folder = new KeyFolder(Path.Combine(file, "state", "keys"), _stage.Schedule);

        Assert.Equal(
            $"{file}: this is a file, not a folder. Set tokens.keys.folder to the folder of the signing keys.",
            Assert.Single(folder.Check()).ToString());
    }

    [Theory]
    [InlineData(UnixFileMode.OtherRead, "0604")]
    [InlineData(UnixFileMode.OtherRead | UnixFileMode.GroupRead, "0644")]
    [InlineData(UnixFileMode.OtherWrite, "0602")]
    public void Read_FileThatEverybodyMayRead_IsRefusedWithTheFix(UnixFileMode others, string mode)
    {
        _stage.Open().EnsureKey();
        var file = _stage.KeyFiles()[0];
        File.SetUnixFileMode(file, Mode600 | others);

        Assert.Equal(
            $"{file}: every user of this machine can read the signing key, and sign tokens with it (found \"{mode}\"). Run chmod 600 {file}; if others may have read the key, rotate and retire it."
                .Replace(_stage.Folder, "KEYS", StringComparison.Ordinal),
            _stage.Problems());
        Assert.Single(_stage.Open().Check());
    }

    [Fact]
    public void Read_FileThatTheGatewaysGroupMayRead_IsAccepted()
    {
        _stage.Open().EnsureKey();
        // as Kubernetes mounts it for a group
        File.SetUnixFileMode(_stage.KeyFiles()[0], Mode600 | UnixFileMode.GroupRead);

        Assert.Single(_stage.Ring().Keys);
    }

    [Fact]
    public void Read_FolderThatEverybodyMayWrite_IsRefused()
    {
        _stage.Open().EnsureKey();
        File.SetUnixFileMode(_stage.Folder, Mode700 | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);

        Assert.Equal(
            "KEYS: every user of this machine can put signing keys here (found \"0703\"). Run chmod 700 KEYS.",
            _stage.Problems());
    }

    [Theory]
    [InlineData(
        "foreign.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "it has no private key, or is truncated (found \"CERTIFICATE\"). Use one private key, ECDSA on P-256 or RSA "
            + "of 2048 bits or more, as PKCS#8 PEM.")]
    [InlineData(
        "empty.pem", "",
        "it has no private key, or is truncated. Use one private key, ECDSA on P-256 or RSA of 2048 bits or more, as "
            + "PKCS#8 PEM.")]
    [InlineData(
        "cut.pem", "-----BEGIN PRIVATE KEY-----\nMIGH",
        "it has no private key, or is truncated. Use one private key, ECDSA on P-256 or RSA of 2048 bits or more, as "
            + "PKCS#8 PEM.")]
    [InlineData(
        "damaged.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "the private key is damaged, or of a type that cannot sign tokens (found \"PRIVATE KEY\"). Use one private "
            + "key, ECDSA on P-256 or RSA of 2048 bits or more, as PKCS#8 PEM.")]
    [InlineData(
        "sealed.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "the private key is encrypted. Decrypt it with openssl pkey -in KEY -out NEWKEY, mode 0600; the gateway has "
            + "no password for it.")]
    [InlineData(
        "time.pem", "Active-From: tomorrow\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "Active-From: is not a time (found \"tomorrow\"). Write it as 2026-01-31T12:00:00Z, in UTC.")]
    [InlineData(
        "mine.key", "x",
        "only files named *.pem are read as signing keys. Rename it if it is one, or move it out of the folder.")]
    public void Read_FileThatIsNoUsableKey_IsAProblem(string name, string text, string problem)
    {
        _stage.Open().EnsureKey();
        _stage.Write(name, text);

        Assert.Equal($"KEYS/{name}: {problem}", _stage.Problems());
    }

    [Fact]
    public void Read_KeysThatAreTooWeak_AreEachAProblem()
    {
        using var rsa = RSA.Create(1024);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var brainpool = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);
        _stage.Write("a.pem", rsa.ExportPkcs8PrivateKeyPem());
        _stage.Write("b.pem", p384.ExportPkcs8PrivateKeyPem());
        _stage.Write("c.pem", brainpool.ExportPkcs8PrivateKeyPem());

        const string fix = "Use one private key, ECDSA on P-256 or RSA of 2048 bits or more, as PKCS#8 PEM.";
        Assert.Equal(
            $"KEYS/a.pem: the RSA key has only 1024 bits. {fix}\n"
            + $"KEYS/b.pem: the elliptic curve (384 bits) is not P-256. {fix}\n"
            + $"KEYS/c.pem: the elliptic curve (256 bits) is not P-256. {fix}",
            _stage.Problems());
    }

    [Fact]
    public void Read_SameKeyInTwoFiles_IsAProblem()
    {
        _stage.Open().EnsureKey();
        File.Copy(_stage.KeyFiles()[0], Path.Combine(_stage.Folder, "copy.pem"));

        Assert.StartsWith(
            "KEYS/copy.pem: this is the same key as in another file (found \"KEYS/2026", _stage.Problems(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_KeyThatAnOperatorPutThere_TakesOverAfterEverybodyKnowsIt()
    {
        _stage.Open().EnsureKey();
        var first = _stage.Ring().Keys.Single();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var file = _stage.Write("mine.pem", key.ExportECPrivateKeyPem());
        File.SetLastWriteTimeUtc(file, _stage.Time.GetUtcNow().UtcDateTime);

        Assert.Equal(first.Id, _stage.Ring().ActiveAt(_stage.Time.GetUtcNow()).Id);
        _stage.Time.Advance(SigningKeySchedule.PublicationDelay);
        Assert.Equal(
            SigningKey.IdOf(key.ExportSubjectPublicKeyInfo()), _stage.Ring().ActiveAt(_stage.Time.GetUtcNow()).Id);

        // The gateway's own goes in time; the operator's, once it is followed, never by itself.
        _stage.Time.Advance(TimeSpan.FromHours(8));
        Assert.Equal(
            [first.Id], _stage.Open().Change(_stage.Schedule.Due).Removed.Select(static removed => removed.Id));
        _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, TimeSpan.Zero));
        _stage.Time.Advance(TimeSpan.FromDays(1));
        Assert.True(_stage.Open().Change(_stage.Schedule.Due).IsNone);
        Assert.True(File.Exists(file));
    }

    [Fact]
    public void UpdateDerivedFiles_Keys_WritesCertificatesAndJwkSetAndKeepsCertificates()
    {
        _stage.Open().EnsureKey();
        _stage.Open().UpdateDerivedFiles();
        var bundle = Path.Combine(_stage.Folder, "bundle.crt");
        var before = Certificates(bundle);
        var written = File.GetLastWriteTimeUtc(bundle);

        _stage.Open().UpdateDerivedFiles();
        // nothing changed: two replicas do not overwrite each other
        Assert.Equal(written, File.GetLastWriteTimeUtc(bundle));

        _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, SigningKeySchedule.PublicationDelay));
        _stage.Open().UpdateDerivedFiles();

        var ring = _stage.Ring();
        Assert.Equal(ring.JwkSet.ToArray(), File.ReadAllBytes(Path.Combine(_stage.Folder, "jwks.json")));
        Assert.Equal(
            ring.Keys.Select(static key => key.Id),
            Certificates(bundle).Select(
                static certificate => SigningKey.IdOf(certificate.PublicKey.ExportSubjectPublicKeyInfo())));
        Assert.Equal(before[0].RawData, Certificates(bundle)[0].RawData);
    }

    [Fact]
    public void Change_KilledBefore_LeavesNothingThatDisturbs()
    {
        _stage.Open().EnsureKey();
        _stage.Write(".20260101T000000Z-AAAA-BBBB.pem.tmp", "-----BEGIN PRI");

        _stage.Open().Change(keys => _stage.Schedule.Rotate(keys, SigningKeySchedule.PublicationDelay));

        Assert.Equal(2, _stage.Ring().Keys.Count);
    }

    [Fact]
    public void KeyFolderPath_NotConfigured_LiesBesideTheConfiguration()
    {
        using var folder = new TemporaryFolder();
        var options = ConfigurationSamples.Load(folder, ConfigurationSamples.Minimal);

        Assert.Equal(Path.Combine(folder.Path, "state", "keys"), options.KeyFolderPath());
    }

    private static X509Certificate2Collection Certificates(string bundle)
    {
        var found = new X509Certificate2Collection();
        found.ImportFromPemFile(bundle);
        return found;
    }
}
