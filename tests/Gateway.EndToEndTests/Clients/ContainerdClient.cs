using System.Formats.Tar;
using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

/// <summary>
/// <c>ctr</c>, containerd's own client, which talks to registries as containerd does for Kubernetes. It stores no
/// credentials: signing in only keeps them for the next commands' <c>--user</c>.
/// </summary>
internal sealed class ContainerdClient : RegistryClient
{
    private readonly ContainerdEngine _engine;
    private string[] _user = [];

    public ContainerdClient(ClientGateway gateway, ContainerdEngine engine)
        : base(gateway)
    {
        _engine = engine;
        engine.Trust(gateway.Authority, gateway.Process.AuthorityFile);
    }

    public override Task<CliResult> LoginAsync(string user, string password)
    {
        _user = ["--user", $"{user}:{password}"];
        return Task.FromResult(new CliResult("", 0, "", ""));
    }

    public override Task<CliResult> LogoutAsync()
    {
        _user = [];
        return Task.FromResult(new CliResult("", 0, "", ""));
    }

    public override async Task<CliResult> PushAsync(TestImage image, string name)
    {
        var archive = Path.Combine(Folder, "image.tar");
        File.Delete(archive);
        await TarFile.CreateFromDirectoryAsync(image.OciLayout, archive, includeBaseDirectory: false);
        (await _engine.CtrAsync("images", "import", "--no-unpack", "--base-name", "local/image", archive)).Succeeded();
        return await _engine.CtrAsync(
            ["images", "push", "--hosts-dir", _engine.HostsFolder, .. _user, Remote(name), "local/image:latest"]);
    }

    // It notes on content where it was pulled from, not where it was pushed to.
    public override async Task RememberAsync(string name) => (await PullAsync(name)).Succeeded();

    public override async Task<CliResult> PullAsync(string name)
    {
        await RemoveImagesAsync();
        return await _engine.CtrAsync(
            ["images", "pull", "--hosts-dir", _engine.HostsFolder, .. _user, "--snapshotter", "native", Remote(name)]);
    }

    public override async ValueTask DisposeAsync()
    {
        await RemoveImagesAsync();
        await base.DisposeAsync();
    }

    private async Task RemoveImagesAsync()
    {
        var images = (await _engine.CtrAsync("images", "list", "--quiet")).Succeeded();
        if (images.Length > 0)
        {
            (await _engine.CtrAsync(["images", "remove", "--sync", .. images.Split('\n')])).Succeeded();
        }
    }
}
