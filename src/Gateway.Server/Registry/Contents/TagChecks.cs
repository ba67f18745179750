using Gateway.Server.Requests.Pipeline;

namespace Gateway.Server.Registry.Contents;

/// <summary>
/// Asks what a tag names now, once for all who ask at the same time. An answer serves only those who came before the
/// question was sent: who has just pushed a tag never gets what it named before.
/// </summary>
internal sealed class TagChecks(TimeProvider time)
{
    private readonly Dictionary<ContentKey, Turn> _turns = [];

    /// <summary>Asks, or waits for the next question that somebody asks.</summary>
    /// <param name="key">The tag.</param>
    /// <param name="prepare">
    /// Called at once, where this caller's question is the one that is sent. What it gives asks the upstream, perhaps
    /// when this caller has gone: for the digest, <see langword="null"/> where there was no answer, or the empty text
    /// where the upstream does not say digests.
    /// </param>
    public Task<TagCheck> AskAsync(in ContentKey key, Func<Func<Task<string?>>> prepare)
    {
        Turn turn;
        lock (_turns)
        {
            if (_turns.TryGetValue(key, out var running))
            {
                return (running.Next ??= new Turn(prepare())).Answer.Task;
            }

            _turns.Add(key, turn = new Turn(prepare()));
        }

        _ = RunAsync(key, turn);
        return turn.Answer.Task;
    }

    private async Task RunAsync(ContentKey key, Turn? turn)
    {
        while (turn is not null)
        {
            var askedAt = time.GetTimestamp();
            string? digest;
            try
            {
                digest = await turn.Ask();
            }
            catch (UpstreamException)
            {
                digest = null; // the request itself is forwarded, and told why
            }
            catch (Exception exception)
            {
                turn.Answer.TrySetException(exception);
                digest = null;
            }

            var answer = turn.Answer;
            lock (_turns)
            {
                turn = turn.Next;
                if (turn is null)
                {
                    _turns.Remove(key);
                }
                else
                {
                    _turns[key] = turn;
                }
            }

            answer.TrySetResult(new TagCheck(digest, askedAt));
        }
    }

    private sealed class Turn(Func<Task<string?>> ask)
    {
        public Func<Task<string?>> Ask { get; } = ask;

        public TaskCompletionSource<TagCheck> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Turn? Next { get; set; }
    }
}

/// <summary>What a tag names.</summary>
/// <param name="Digest">
/// The digest; <see langword="null"/> where no answer came; empty where the upstream does not say digests.
/// </param>
/// <param name="AskedAt">When the question was sent, as a time stamp of <see cref="TimeProvider"/>.</param>
internal readonly record struct TagCheck(string? Digest, long AskedAt);
