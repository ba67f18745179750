using System.Collections.Concurrent;
using Gateway.Server.Records.Audit;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Server.Records.Audit;

/// <summary>The queue before a sink: what is kept, what is lost and counted, and who is told.</summary>
public sealed class AuditPumpTests
{
    [Fact]
    public async Task Outage_BeyondTheQueue_CountsWhatIsLostAndSaysWhen()
    {
        var sink = new BreakableSink { IsBroken = true };
        using var pump = Pump(sink, capacity: 10);
        for (var i = 0; i < 25; i++)
        {
            pump.Add(Entry(i), isPromised: false, awaits: false, out _);
        }

        await Eventually.TrueAsync(() => pump.IsFailing);
        Assert.Equal(15, pump.Lost);
        sink.IsBroken = false;
        await Eventually.TrueAsync(() => sink.Written.Count == 11);

        var outage = Assert.IsType<OutageEntry>(sink.Written.First());
        Assert.Equal((15L, At(10), At(24)), (outage.Lost, outage.LostFrom, outage.LostUntil));
        Assert.Equal(Enumerable.Range(0, 10).Select(At), sink.Written.Skip(1).Select(static entry => entry.Time));
        await Eventually.TrueAsync(() => !pump.IsFailing);
        Assert.Equal(15, pump.Lost);
        pump.Add(Entry(99), isPromised: false, awaits: true, out var done);
        Assert.True(await done);
        Assert.Equal(12, sink.Written.Count); // told once
    }

    [Fact]
    public async Task Place_HeldForALine_IsThereWhenTheQueueIsFull()
    {
        var sink = new BreakableSink();
        using var pump = Pump(sink, capacity: 3);
        Assert.True(pump.TryReserve());
        sink.IsBroken = true;
        for (var i = 0; i < 5; i++)
        {
            pump.Add(Entry(i), isPromised: false, awaits: false, out _);
        }

        pump.Add(Entry(9), isPromised: true, awaits: false, out _);
        await Eventually.TrueAsync(() => pump.IsFailing);
        sink.IsBroken = false;
        await Eventually.TrueAsync(() => sink.Written.Any(static entry => entry.Time == At(9)));

        Assert.Equal(2, Assert.IsType<OutageEntry>(sink.Written.First()).Lost);
    }

    [Fact]
    public void Places_AllHeld_AdmitNobodyElseUntilOneIsGivenBack()
    {
        using var pump = Pump(new BreakableSink(), capacity: 1);

        Assert.All(Enumerable.Range(0, 5), _ => Assert.True(pump.TryReserve())); // five for each line that may wait
        Assert.False(pump.TryReserve());
        pump.Release();
        Assert.True(pump.TryReserve());
    }

    [Fact]
    public async Task Exception_OfAnyKind_IsAnOutageThatEnds()
    {
        var sink = new BreakableSink { Failure = new InvalidDataException("nobody thought of this one") };
        using var pump = Pump(sink, capacity: 10);
        pump.Add(Entry(1), isPromised: false, awaits: true, out var done);
        Assert.False(await done.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.True(pump.IsFailing);

        sink.Failure = null;
        await Eventually.TrueAsync(() => !pump.IsFailing);
        Assert.True(pump.TryReserve());
        Assert.Contains(sink.Written, static entry => entry.Time == At(1));
    }

    [Fact]
    public async Task Room_ThatIsGone_AdmitsNobody_AndWhatWasAcceptedIsWritten()
    {
        var sink = new BreakableSink();
        using var pump = Pump(sink, capacity: 10);
        Assert.True(pump.TryReserve());
        sink.HasRoom = false;

        Assert.False(pump.TryReserve());
        Assert.True(pump.IsFull);
        pump.Add(Entry(1), isPromised: true, awaits: true, out var done);
        Assert.True(await done.WaitAsync(TimeSpan.FromSeconds(30)));
        sink.HasRoom = true;
        Assert.True(pump.TryReserve());
    }

    [Fact]
    public void Stdout_WithoutAReader_IsAnOutage()
    {
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        using var output = new Microsoft.Win32.SafeHandles.SafeFileHandle(
            pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        using var sink = new StdoutSink(output);
        sink.Write([Entry(1)], durable: false);
        pipe.ClientSafePipeHandle.Dispose();

        // the console's stream would say nothing
        Assert.Throws<IOException>(() => sink.Write([Entry(2)], durable: false));
    }

    [Fact]
    public async Task Add_BehindMoreThanOneTurnTakes_WaitsForItsOwnLine()
    {
        using var queue = new AuditQueue(new SinkState(TimeProvider.System), capacity: 5_000);
        for (var i = 0; i < 1_500; i++)
        {
            _ = queue.Add(Entry(i), isPromised: false, AuditWait.Nothing, out _, out _);
        }

        var own = queue.Add(Entry(1_500), isPromised: false, AuditWait.OrWrites, out var turn, out _);
        Assert.DoesNotContain(turn!.Value.Batch, static entry => entry.Time == At(1_500));
        var count = turn.Value.Batch.Count;
        Assert.True(queue.EndTurn(turn.Value, isWritten: true, mayGather: true));
        Assert.False(own!.IsCompleted);
        turn = queue.TakeGathered();
        Assert.Equal(1_501, count + turn!.Value.Batch.Count);
        queue.EndTurn(turn.Value, isWritten: true, mayGather: true);

        Assert.True(await own.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task Add_WhileOthersAreRunning_GathersTheirLinesInOneTurn()
    {
        using var queue = new AuditQueue(new SinkState(TimeProvider.System), capacity: 10);
        Assert.All(Enumerable.Range(0, 3), _ => Assert.True(queue.TryReserve()));

        var first = queue.Add(Entry(1), isPromised: true, AuditWait.Gathers, out var none, out var gathers);
        Assert.True(gathers);
        Assert.Null(none);
        var second = queue.Add(Entry(2), isPromised: true, AuditWait.Gathers, out none, out gathers);
        Assert.False(gathers); // somebody does already
        Assert.Null(none);
        var turn = queue.TakeGathered();
        Assert.Equal([At(1), At(2)], turn!.Value.Batch.Select(static entry => entry.Time));
        Assert.False(first!.IsCompleted);
        Assert.False(queue.EndTurn(turn.Value, isWritten: true, mayGather: true));

        Assert.True(await first.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.True(await second!.WaitAsync(TimeSpan.FromSeconds(30)));
        _ = queue.Add(Entry(3), isPromised: true, AuditWait.Gathers, out turn, out gathers);
        Assert.False(gathers); // the last one: it writes itself
        Assert.NotNull(turn);
    }

    [Fact]
    public async Task Add_WhoWasToTakeTheTurnDoesNotCome_IsWrittenByTheThread()
    {
        using var queue = new AuditQueue(new SinkState(TimeProvider.System), capacity: 10);
        Assert.All(Enumerable.Range(0, 2), _ => Assert.True(queue.TryReserve()));
        var line = queue.Add(Entry(1), isPromised: true, AuditWait.Gathers, out _, out var gathers);
        Assert.True(gathers); // and nobody calls TakeGathered: every thread of the pool is blocked

        await Task.Factory.StartNew(queue.WaitForLines, TaskCreationOptions.LongRunning)
            .WaitAsync(TimeSpan.FromSeconds(30));
        queue.EndTurn(queue.TakeTurn()!.Value, isWritten: true, mayGather: true);

        Assert.True(await line!.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Null(queue.TakeGathered()); // comes at last
    }

    [Fact]
    public void Stopping_AdmitsNobody()
    {
        var pump = Pump(new BreakableSink(), capacity: 10);
        pump.Dispose();

        Assert.False(pump.TryReserve());
        pump.Add(Entry(1), isPromised: false, awaits: false, out _);
        Assert.Equal(1, pump.Lost); // and that is known
    }

    [Fact]
    public async Task Waiter_WhenTheWriteFails_IsToldNo()
    {
        using var pump = Pump(new BreakableSink { IsBroken = true }, capacity: 10);

        pump.Add(Entry(1), isPromised: false, awaits: true, out var done);

        Assert.False(await done.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.False(pump.TryReserve());
    }

    [Fact]
    public void Dispose_WithLinesThatWait_WritesThem()
    {
        var sink = new BreakableSink();
        var pump = Pump(sink, capacity: 5_000);
        for (var i = 0; i < 5_000; i++)
        {
            pump.Add(Entry(i), isPromised: false, awaits: false, out _);
        }

        pump.Dispose();

        Assert.Equal(Enumerable.Range(0, 5_000).Select(At), sink.Written.Select(static entry => entry.Time));
    }

    private static AuditPump Pump(IAuditSink sink, int capacity) =>
        new(sink, new AuditOptions(), TimeProvider.System, NullLogger.Instance, capacity);

    private static DateTimeOffset At(int seconds) => DateTimeOffset.UnixEpoch.AddSeconds(seconds);

    private static CommandEntry Entry(int seconds) => new(At(seconds)) { Command = "x", Account = "y", UserId = 0 };

    private sealed class BreakableSink : IAuditSink
    {
        private volatile Exception? _failure;

        public ConcurrentQueue<AuditEntry> Written { get; } = new();

        public bool IsBroken
        {
            get => _failure is not null;
            set => _failure = value ? new IOException("broken") : null;
        }

        public Exception? Failure
        {
            get => _failure;
            set => _failure = value;
        }

        public bool HasRoom { get; set; } = true;

        public string Name => "test";

        public void Write(IReadOnlyList<AuditEntry> entries, bool durable)
        {
            if (_failure is { } failure)
            {
                throw failure;
            }

            foreach (var entry in entries)
            {
                Written.Enqueue(entry);
            }
        }

        public void Reopen()
        {
        }

        public void Dispose()
        {
        }
    }
}
