namespace Gateway.Core.Tests.Registry;

/// <summary>Valid values that the tests of the grammar share.</summary>
internal static class Samples
{
    public const string Hex64 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    public const string Sha256 = "sha256:" + Hex64;
    public const string Sha384 = "sha384:" + Hex64 + "0123456789abcdef0123456789abcdef";
    public const string Sha512 = "sha512:" + Hex64 + Hex64;
    public const string UploadId = "6e5a5b0b-8a4d-4d55-9d2b-3f6f4f0c8b11";
    public const string Ticket = "Zm9v_-YmFy0123456789";
}
