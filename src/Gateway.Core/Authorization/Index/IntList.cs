using System.Buffers;

namespace Gateway.Core.Authorization.Index;

/// <summary>A list that lives on the stack until it grows beyond what it was given. Dispose it once.</summary>
internal ref struct IntList(Span<int> initial)
{
    private Span<int> _items = initial;
    private int[]? _rented;

    public int Count { get; private set; }

    public readonly int this[int index] => _items[index];

    public readonly ReadOnlySpan<int> Items => _items[..Count];

    public void Add(int item)
    {
        if (Count == _items.Length)
        {
            Grow();
        }

        _items[Count++] = item;
    }

    public void Clear() => Count = 0;

    public void Dispose()
    {
        if (_rented is not null)
        {
            ArrayPool<int>.Shared.Return(_rented);
            _rented = null;
        }
    }

    private void Grow()
    {
        var larger = ArrayPool<int>.Shared.Rent(_items.Length * 2);
        _items.CopyTo(larger);
        Dispose();
        _items = _rented = larger;
    }
}
