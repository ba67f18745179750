using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Core.Tokens;
using Gateway.EndToEndTests.Support;
using Gateway.Server.Requests.Routing;
using Gateway.Server.Store.Keys;
using Gateway.Server.Tokens.Service;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.EndToEndTests.Tokens;

/// <summary>
/// Keys in a folder with the files for registries, as the gateway makes them, and an issuer that uses them.
/// </summary>
internal sealed class SigningStage : IDisposable
{
    /// <summary>The public URL that tokens are issued under.</summary>
    public const string PublicUrl = "https://" + TrustedHost.Name;

    private readonly SigningKeySchedule _schedule;

    public SigningStage(SigningAlgorithm algorithm)
    {
        var options = new TokenOptions { Algorithm = algorithm };
        _schedule = new SigningKeySchedule(
            new SigningKeySettings(algorithm, options.Keys.RotateAfter, options.UploadWindow), TimeProvider.System);
        Store = new KeyFolder(Folder, _schedule);
        Store.EnsureKey();
        Store.UpdateDerivedFiles();
        var router = new RegistryRouter(
            new Uri(PublicUrl), [],
            [new RegistryOptions { Name = "main", Upstreams = [new Uri("http://127.0.0.1:5000")] }]);
        Issuer = new AccessTokenIssuer(
            new Keys(this), router, options, TimeProvider.System, NullLogger<AccessTokenIssuer>.Instance);
    }

    /// <summary>The folder with the keys, <c>bundle.crt</c> and <c>jwks.json</c>.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("gateway-keys-").FullName;

    public KeyFolder Store { get; }

    public AccessTokenIssuer Issuer { get; }

    /// <summary>The keys in force.</summary>
    public SigningKeyRing Ring => new(_schedule.Usable(Store.Read()));

    /// <summary>Starts a registry that verifies tokens with what is in the folder now.</summary>
    public Task<RegistryProcess> StartRegistryAsync(
        string issuer = PublicUrl, string service = TrustedHost.Name, string? bundle = null) =>
        RegistryProcess.StartAsync(new RegistrySettings
        {
            AuthenticationYaml = $"""
                  token:
                    realm: {PublicUrl}/token
                    service: {service}
                    issuer: {issuer}
                    rootcertbundle: {bundle ?? Path.Combine(Folder, "bundle.crt")}
                    jwks: {Path.Combine(Folder, "jwks.json")}
                    signingalgorithms: [{Ring.Keys[0].Algorithm}]
                """,
        });

    /// <summary>A token of alice's for one repository; for nothing without one.</summary>
    public string Issue(
        string? repository = null, RepositoryActions actions = RepositoryActions.None, bool catalog = false)
    {
        var alice = new Principal
        {
            Subject = new Subject { Kind = SubjectKind.User, Name = "alice", Method = "htpasswd", Groups = ["team-a"] },
            Evidence = "evidence",
        };
        var scope = AccessScope.Create(
            repository is null ? [] : [new RepositoryScope(RepositoryName.Parse(repository), actions)], catalog);
        return Issuer.Issue(alice, scope, TrustedHost.Name).Text;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private sealed class Keys(SigningStage stage) : ISigningKeys
    {
        public SigningKeyRing Current => stage.Ring;
    }
}
