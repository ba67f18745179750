using Gateway.Server.Store.Identities;
using Gateway.Server.Store.State;
using Gateway.Server.Store.State.Sqlite;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Store.State;

/// <summary>
/// The contract, in the file as a gateway with a provider has it open: people's identities are written to it as well.
/// </summary>
public sealed class SqliteSharedDatabaseTests : CredentialStoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _opened;

    public void Dispose() => _folder.Dispose();

    private protected override async Task<ICredentialStore> OpenAsync()
    {
        var folder = Path.Combine(_folder.Path, "state");
        var database = SqliteDatabase.Open(folder);
        var identities = new SqliteIdentityStore(database);
        await identities.WriteAsync(
            new StoredIdentity
            {
                Method = "oidc:corp",
                Name = $"person-{_opened++}",
                ProviderSubject = "sub",
                SignedInAt = TestCredential.Now,
                ValidatedAt = TestCredential.Now,
                Groups = [],
            },
            default);
        StateServiceExtensions.Check(new StateOptions { Folder = folder });
        return new SqliteCredentialStore(database, ownsDatabase: true);
    }
}
