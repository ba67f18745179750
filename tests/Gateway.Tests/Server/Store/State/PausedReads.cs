using System.Reflection;
using Gateway.Server.Store.State;

namespace Gateway.Tests.Server.Store.State;

/// <summary>A real store whose look-ups come back late, with what they had read in time.</summary>
#pragma warning disable CA1852 // a class that is made at run time derives from it
internal class PausedReads : DispatchProxy
#pragma warning restore CA1852
{
    private ICredentialStore _store = null!;

    /// <summary>What look-ups wait for after they have read; none, unless set.</summary>
    public Task? Gate { get; set; }

    public static (ICredentialStore Store, PausedReads Reads) Of(ICredentialStore store)
    {
        var proxy = Create<ICredentialStore, PausedReads>();
        var reads = (PausedReads)(object)proxy;
        reads._store = store;
        return (proxy, reads);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var result = targetMethod!.Invoke(_store, args);
        return result is Task<StoredCredential?> found && Gate is { } gate ? WaitAsync(found, gate) : result;
    }

    private static async Task<StoredCredential?> WaitAsync(Task<StoredCredential?> found, Task gate)
    {
        var credential = await found;
        await gate;
        return credential;
    }
}
