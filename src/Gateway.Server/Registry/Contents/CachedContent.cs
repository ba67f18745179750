using Microsoft.Extensions.Primitives;

namespace Gateway.Server.Registry.Contents;

/// <summary>
/// An upstream's answer that is kept: its own 200 to exactly this question, with its digest verified.
/// </summary>
internal sealed class CachedContent
{
    // What the objects around the texts and the body take, generously.
    private const int Overhead = 768;

    private long _checkedAt;

    /// <summary>The question.</summary>
    public required ContentKey Key { get; init; }

    /// <summary>The repository as the upstream calls it; two registries may lead to one.</summary>
    public required string UpstreamRepository { get; init; }

    /// <summary>The digest of the body.</summary>
    public required string Digest { get; init; }

    /// <summary>The headers that were relayed, but for <c>Content-Length</c>.</summary>
    public required KeyValuePair<string, StringValues>[] Headers { get; init; }

    /// <summary>The body; the same bytes serve every entry of a registry with this digest.</summary>
    public required byte[] Body { get; set; }

    /// <summary>
    /// When the upstream was last asked whether this is its answer, as a time stamp of <see cref="TimeProvider"/>: the
    /// beginning of that question.
    /// </summary>
    public long CheckedAt
    {
        get => Volatile.Read(ref _checkedAt);
        set => Volatile.Write(ref _checkedAt, value);
    }

    /// <summary>Whether it was used since its turn to make room last came.</summary>
    public bool IsUsed { get; set; }

    /// <summary>Its place among all that are kept, under the store's lock.</summary>
    public LinkedListNode<CachedContent>? Place { get; set; }

    /// <summary>How much memory it takes besides its body, in bytes.</summary>
    public int Cost { get; private set; }

    /// <summary>Works out <see cref="Cost"/>.</summary>
    public void Measure()
    {
        var characters = Key.CountCharacters() + UpstreamRepository.Length + Digest.Length;
        foreach (var (_, values) in Headers)
        {
            characters += values.ToString().Length;
        }

        Cost = Overhead + (2 * characters);
    }
}
