using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Server.SignIn.Authentication;

/// <summary>
/// Identifies presented credentials without holding them: an HMAC-SHA256 under a key of this process.
/// </summary>
internal readonly record struct CredentialKey(UInt128 Low, UInt128 High)
{
    // Nobody can look a password up in a memory dump by its plain digest, nor carry a key to another process.
    private static readonly byte[] ProcessKey = RandomNumberGenerator.GetBytes(32);

    /// <summary>Makes the key of credentials.</summary>
    /// <param name="method">The method that judges them.</param>
    /// <param name="credentials">User name and password.</param>
    /// <param name="evidence">
    /// What they are checked against, such as the hash in force: when it changes, so does the key.
    /// </param>
    public static CredentialKey Derive(string method, BasicCredentials credentials, string evidence)
    {
        // Each field is preceded by its length: "ab" + "c" must not be "a" + "bc".
        const int lengthSize = sizeof(int);
        var characters = method.Length + credentials.UserName.Length + credentials.Password.Length + evidence.Length;
        var buffer = ArrayPool<byte>.Shared.Rent((4 * lengthSize) + Encoding.UTF8.GetMaxByteCount(characters));
        var length = 0;
        try
        {
            Append(method);
            Append(credentials.UserName);
            Append(credentials.Password);
            Append(evidence);
            Span<byte> code = stackalloc byte[HMACSHA256.HashSizeInBytes];
            HMACSHA256.HashData(ProcessKey, buffer.AsSpan(0, length), code);
            return MemoryMarshal.Read<CredentialKey>(code);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer.AsSpan(0, length));
            ArrayPool<byte>.Shared.Return(buffer);
        }

        void Append(string field)
        {
            var count = Encoding.UTF8.GetBytes(field, buffer.AsSpan(length + lengthSize));
            BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(length), count);
            length += lengthSize + count;
        }
    }
}
