using System.Text;
using System.Text.Json;
using Gateway.Server.Store.Keys;
using Gateway.Tests.Server.SignIn.Authentication;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Store.Keys;

public sealed class SigningKeyTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out OUT", SigningAlgorithm.ES256)]
    [InlineData("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out OUT", SigningAlgorithm.RS256)]
    // EC PARAMETERS, then EC PRIVATE KEY
    [InlineData("ecparam -name prime256v1 -genkey -out OUT", SigningAlgorithm.ES256)]
    [InlineData("genrsa -traditional -out OUT 3072", SigningAlgorithm.RS256)] // RSA PRIVATE KEY
    public void Read_KeyOfOpenssl_HasTheIdThatOpensslAndCoreutilsWorkOut(string command, SigningAlgorithm algorithm)
    {
        var file = Path.Combine(_folder.Path, "key.pem");
        Shell("openssl " + command.Replace("OUT", file, StringComparison.Ordinal));

        var key = SigningKeyText.Read(file, File.ReadAllText(file), null, Now);

        Assert.Equal(algorithm, key.Algorithm);
        Assert.Equal(
            Shell(
                $"openssl pkey -in {file} -pubout -outform DER | openssl dgst -sha256 -binary | head -c 30 | base32 "
                    + "-w0 | fold -w4 | paste -sd:"),
            key.Id);
        Assert.Matches(@"\A([A-Z2-7]{4}:){11}[A-Z2-7]{4}\z", key.Id);
    }

    [Fact]
    public void JwkSet_EcKey_HasTheNumbersThatOpensslShows()
    {
        var file = Path.Combine(_folder.Path, "key.pem");
        Shell($"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {file}");
        var key = SigningKeyText.Read(file, File.ReadAllText(file), null, Now);

        // The last 64 bytes of the public key are x and y.
        var numbers = $"openssl pkey -in {file} -pubout -outform DER | tail -c 64";
        const string base64Url = "base64 -w0 | tr '+/' '-_' | tr -d =";
        var x = Shell($"{numbers} | head -c 32 | {base64Url}");
        var y = Shell($"{numbers} | tail -c 32 | {base64Url}");

        Assert.Equal(
            $$"""{"keys":[{"kid":"{{key.Id}}","use":"sig","alg":"ES256","kty":"EC","crv":"P-256","x":"{{x}}","y":"{{y}}"}]}""",
            Encoding.UTF8.GetString(JsonWebKeySet.Write([key])));
    }

    [Fact]
    public void JwkSet_RsaKey_HasTheNumbersThatOpensslShows()
    {
        var file = Path.Combine(_folder.Path, "key.pem");
        Shell($"openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {file}");
        var key = SigningKeyText.Read(file, File.ReadAllText(file), null, Now);

        var modulus = Shell(
            $"openssl rsa -in {file} -noout -modulus | cut -d= -f2 | basenc -d --base16 | base64 -w0 | tr '+/' '-_' | "
                + "tr -d =");

        Assert.Equal(
            $$"""{"keys":[{"kid":"{{key.Id}}","use":"sig","alg":"RS256","kty":"RSA","n":"{{modulus}}","e":"AQAB"}]}""",
            Encoding.UTF8.GetString(JsonWebKeySet.Write([key])));
    }

    [Fact]
    public void JwkSet_CoordinateThatBeginsWithZero_KeepsItsFullWidth()
    {
        // One key in 256 has such a coordinate; libraries that drop the zero get another key, or none.
        SigningKey key;
        do
        {
            key = SigningKey.Create(SigningAlgorithm.ES256, Now, Now);
        }
        while (key.PublicNumbers().Ec.Q.X![0] != 0);

        using var set = JsonDocument.Parse(JsonWebKeySet.Write([key]));

        Assert.Equal(43, set.RootElement.GetProperty("keys")[0].GetProperty("x").GetString()!.Length);
        Assert.StartsWith(
            "A", set.RootElement.GetProperty("keys")[0].GetProperty("x").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SigningAlgorithm.ES256)]
    [InlineData(SigningAlgorithm.RS256)]
    public void Certificate_OfAKey_HoldsItAndIsSignedByIt(SigningAlgorithm algorithm)
    {
        var key = SigningKey.Create(algorithm, Now, Now);
        var certificate = _folder.Write("key.crt", SigningKeyCertificate.Create(key));

        var publicKey = Shell(
            $"openssl x509 -in {certificate} -noout -pubkey | openssl pkey -pubin -outform DER | base64 -w0");

        Assert.Equal(Convert.ToBase64String(key.PublicKey), publicKey);
        Assert.Equal(
            $"{certificate}: OK",
            Shell($"openssl verify -no_check_time -partial_chain -check_ss_sig -trusted {certificate} {certificate}"));
    }

    [Theory]
    [InlineData(SigningAlgorithm.ES256, 64)]
    [InlineData(SigningAlgorithm.RS256, 256)]
    public void Sign_ByManyThreads_GivesSignaturesThatVerifyOnAnotherInstance(SigningAlgorithm algorithm, int length)
    {
        var key = SigningKey.Create(algorithm, Now, Now);
        var other = SigningKeyText.Read("", SigningKeyText.Write(key, null), null, Now);
        var wrong = SigningKey.Create(algorithm, Now, Now);
        var failures = 0;
        var threads = Enumerable.Range(0, 8).Select(number => new Thread(() =>
        {
            var data = Encoding.ASCII.GetBytes($"token {number}");
            for (var i = 0; i < 100; i++)
            {
                var signature = key.Sign(data);
                if (signature.Length != length || !key.Verify(data, signature) || !other.Verify(data, signature)
                    || wrong.Verify(data, signature) || key.Verify([.. data, 0], signature))
                {
                    Interlocked.Increment(ref failures);
                }
            }
        })).ToList();

        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());

        Assert.Equal(0, failures);
    }

    [Theory]
    [InlineData(SigningAlgorithm.ES256)]
    [InlineData(SigningAlgorithm.RS256)]
    public void Text_WrittenSealedAndRead_IsTheSameKey(SigningAlgorithm algorithm)
    {
        var key = SigningKey.Create(algorithm, Now, Now.AddSeconds(90));

        var text = SigningKeyText.Write(key, "a password");
        var read = SigningKeyText.Read("", text, "a password", default);

        Assert.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", text, StringComparison.Ordinal);
        Assert.Equal((key.Id, key.ActiveFrom, key.CreatedAt), (read.Id, read.ActiveFrom, read.CreatedAt));
        Assert.Equal(key.DeriveKey("tickets"), read.DeriveKey("tickets"));
        Assert.NotEqual(key.DeriveKey("tickets"), read.DeriveKey("others"));
    }

    private static string Shell(string command)
    {
        var result = Tool.Run("sh", "", "-c", command);
        Assert.True(result.ExitCode == 0, result.Error);
        return result.Output.TrimEnd();
    }
}
