using System.Diagnostics.CodeAnalysis;
using Gateway.EndToEndTests.Clients;
using Gateway.EndToEndTests.Support;
using Gateway.Tests.Support;

namespace Gateway.EndToEndTests.Ldap;

/// <summary>
/// A user of a directory with two servers: docker, podman and skopeo log in, push and pull; one server is killed.
/// </summary>
[Collection(ClientMachine.Name)]
[Trait(SharedMachine.Trait, SharedMachine.Value)]
[SuppressMessage("Design", "CA1001", Justification = "xUnit calls IAsyncLifetime.DisposeAsync")]
public sealed class LdapClientTests(ClientsFixture stack, DockerEngine engine) : IAsyncLifetime
{
    private const string People = "ou=people," + LdapServerProcess.Base;

    private const string Entries = $"""
        dn: uid=dora,{People}
        objectClass: inetOrgPerson
        uid: dora
        cn: Dora
        sn: Example
        userPassword: dora-password

        dn: cn=developers,ou=groups,{LdapServerProcess.Base}
        objectClass: groupOfNames
        cn: developers
        member: uid=dora,{People}

        """;

    private readonly TestImage _image = TestImage.Create(size: 1024);
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-ldap-").FullName;
    private LdapServerProcess _first = null!;
    private LdapServerProcess _second = null!;
    private ClientGateway _gateway = null!;

    public async Task InitializeAsync()
    {
        _first = await LdapServerProcess.StartAsync(Entries);
        _second = await LdapServerProcess.StartAsync(Entries);
        var authorities = Path.Combine(_folder, "ca.crt");
        await File.WriteAllTextAsync(
            authorities,
            await File.ReadAllTextAsync(_first.AuthorityFile) + "\n"
                + await File.ReadAllTextAsync(_second.AuthorityFile));
        _gateway = await ClientGateway.StartAsync(stack.Host, new GatewaySettings
        {
            Upstream = stack.Registry.Address,
            Policy = ClientsFixture.Policy + "\n" + """
                  - { name: developers write, to: [ "group:developers" ], role: writer, on: [ "dev/**" ] }
                """,
            MoreAuthentication = $$"""
                , ldap: { corp: { servers: [ "{{_first.Ldaps}}", "{{_second.Ldaps}}" ], certificateAuthority: "{{authorities}}", bindDn: "{{LdapServerProcess.BindDn}}", bindPassword: "{{LdapServerProcess.BindPassword}}", searchBase: "{{People}}", cacheLifetime: 0s } }
                """,
        });
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _image.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Docker_AndTheOtherServer_WhenOneIsKilled()
    {
        await using var docker = new DockerClient(_gateway, engine);
        await PushAndPullAsync(docker);
        await _first.KillAsync();
        await PushAndPullAsync(docker);
        await _second.KillAsync();
        (await docker.LoginAsync("dora", "dora-password")).FailedWith("503");
        (await docker.LoginAsync("alice", ClientsFixture.PasswordOf("alice"))).Succeeded();
    }

    [Fact]
    public async Task Podman_LogsInPushesAndPulls()
    {
        await using var podman = new PodmanClient(_gateway, "podman");
        await PushAndPullAsync(podman);
    }

    [Fact]
    public async Task Skopeo_LogsInPushesAndPulls()
    {
        await using var skopeo = new SkopeoClient(_gateway);
        await PushAndPullAsync(skopeo);
    }

    private async Task PushAndPullAsync(RegistryClient client)
    {
        var name = $"dev/app-{Guid.NewGuid():n}:1";
        (await client.LoginAsync("dora", "dora-password")).Succeeded();
        (await client.PushAsync(_image, name)).Succeeded();
        (await client.PullAsync(name)).Succeeded();
    }
}
