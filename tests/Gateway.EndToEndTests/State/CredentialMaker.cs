using System.Globalization;
using System.Runtime.CompilerServices;
using Gateway.Core.Authorization;
using Gateway.Core.Tokens;
using Gateway.Server.Store.State;

namespace Gateway.EndToEndTests.State;

/// <summary>
/// A process that a test may kill: it makes credentials in a store of SQLite and prints each one's id once it is
/// answered.
/// </summary>
/// <remarks>
/// This assembly is a program too, whose main method does nothing; started with <see cref="FolderVariable"/> set, it
/// does this instead.
/// </remarks>
internal static class CredentialMaker
{
    /// <summary>The environment variable that names the store's folder.</summary>
    public const string FolderVariable = "GATEWAY_TEST_MAKE_CREDENTIALS_IN";

    /// <summary>The environment variable with the number that the first id bears.</summary>
    public const string FirstVariable = "GATEWAY_TEST_MAKE_CREDENTIALS_FROM";

    private const int AtOnce = 16;

    /// <summary>A credential with an id.</summary>
    public static StoredCredential Make(string id) => new()
    {
        Id = id,
        Kind = CredentialKind.Personal,
        Hash = SecretHash.Of(id),
        Name = "made to be lost",
        Owner = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd" },
        CreatedBy = "user:alice",
        CreatedAt = TimeProvider.System.GetUtcNow(),
        ExpiresAt = TimeProvider.System.GetUtcNow().AddDays(90),
    };

#pragma warning disable CA2255 // the assembly's own main method is made by the test framework
    [ModuleInitializer]
    internal static void Run()
#pragma warning restore CA2255
    {
        if (Environment.GetEnvironmentVariable(FolderVariable) is { } folder)
        {
            var first = int.Parse(Environment.GetEnvironmentVariable(FirstVariable)!, CultureInfo.InvariantCulture);

            // Not here: until this returns, every other thread waits for it. A thread in the foreground outlives the
            // main method.
            new Thread(() => RunAsync(folder, first).GetAwaiter().GetResult()).Start();
        }
    }

    private static async Task RunAsync(string folder, int next)
    {
        await using var store = SqliteCredentialStore.Open(folder);
        await using var output = Console.OpenStandardOutput();
        using var printing = new SemaphoreSlim(1);
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                var id = string.Create(CultureInfo.InvariantCulture, $"c{Interlocked.Increment(ref next)}");
                await store.AddAsync(Make(id), default);
                await printing.WaitAsync();
                // unbuffered: what is answered is out
                await output.WriteAsync(System.Text.Encoding.ASCII.GetBytes(id + "\n"));
                printing.Release();
            }
        })));
    }
}
