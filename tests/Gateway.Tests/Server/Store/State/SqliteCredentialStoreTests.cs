using Gateway.Server.Store.State;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Store.State;

/// <summary>The contract, kept in a real file.</summary>
public sealed class SqliteCredentialStoreTests : CredentialStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private protected override Task<ICredentialStore> OpenAsync() =>
        Task.FromResult<ICredentialStore>(SqliteCredentialStore.Open(Path.Combine(_folder.Path, "state")));
}
