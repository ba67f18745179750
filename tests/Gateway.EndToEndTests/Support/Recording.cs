using System.Collections;

namespace Gateway.EndToEndTests.Support;

/// <summary>What clients asked between two moments, as <see cref="RecordingFront"/> noted it.</summary>
internal sealed class Recording(IReadOnlyList<ClientRequest> requests) : IReadOnlyList<ClientRequest>
{
    public int Count => requests.Count;

    public ClientRequest this[int index] => requests[index];

    /// <summary>The requests as text, one a line, in the order of their arrival.</summary>
    public IEnumerable<string> Lines => requests.Select(static request => request.ToString());

    public IEnumerator<ClientRequest> GetEnumerator() => requests.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Join('\n', Lines);
}
