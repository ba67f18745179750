using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Server.Store.State;

/// <summary>What the store knows of a secret: its SHA-256.</summary>
/// <remarks>
/// A plain hash is right here and would be wrong for passwords: the secrets are random (more than 128 bits), so there
/// is nothing to guess, and looking one up by its hash gives no timing that helps to find another.
/// </remarks>
internal readonly record struct SecretHash(UInt128 Low, UInt128 High)
{
    /// <summary>The hash of a secret as it is presented: ASCII.</summary>
    public static SecretHash Of(string secret) => FromBytes(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));

    /// <summary>Reads the 32 bytes that <see cref="ToBytes"/> wrote.</summary>
    public static SecretHash FromBytes(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<SecretHash>(bytes);

    /// <summary>The 32 bytes of the hash.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[32];
        MemoryMarshal.Write(bytes, in this);
        return bytes;
    }
}
