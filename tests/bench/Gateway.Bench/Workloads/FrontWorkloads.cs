using Gateway.Bench.Fronts;
using Gateway.Bench.Load;
using Gateway.Bench.Machine;

namespace Gateway.Bench.Workloads;

/// <summary>The workloads that go through every front.</summary>
internal static class FrontWorkloads
{
    private const string Pull = $"repository:{Content.Repository}:pull";
    private const string Manifests = $"/v2/{Content.Repository}/manifests";

    /// <summary>All of them, in the order of the tables.</summary>
    public static IReadOnlyList<IFrontWorkload> Of(Lab lab) =>
    [
        .. Requests(lab), .. Transfers(lab), .. SignIns(lab),
    ];

    private static IEnumerable<IFrontWorkload> Requests(Lab lab) =>
    [
        new RequestWorkload(lab) { Key = "ping", Title = "ping (`GET /v2/`)", Path = "/v2/" },
        new RequestWorkload(lab)
        {
            Key = "manifest-tag", Title = "manifest GET by tag", Path = $"{Manifests}/latest", Scope = Pull,
            Size = lab.Content.Manifest.Size, Fronts = IsForRequests,
        },
        new RequestWorkload(lab)
        {
            Key = "manifest-digest", Title = "manifest GET by digest",
            Path = $"{Manifests}/{lab.Content.Manifest.Digest}", Scope = Pull, Size = lab.Content.Manifest.Size,
            Fronts = IsForRequests,
        },
        new RequestWorkload(lab)
        {
            Key = "manifest-head", Title = "manifest HEAD by tag", Method = HttpMethod.Head,
            Path = $"{Manifests}/latest", Scope = Pull, Size = lab.Content.Manifest.Size, Fronts = IsForRequests,
        },
        new RequestWorkload(lab)
        {
            Key = "blob-4k", Title = "blob GET 4 KiB", Path = PathOf(lab.Content.Small.Digest), Scope = Pull,
            Size = lab.Content.Small.Size, Fronts = IsForRequests,
        },
    ];

    private static IEnumerable<IFrontWorkload> Transfers(Lab lab) =>
    [
        new RequestWorkload(lab)
        {
            Key = "blob-1m", Title = "blob GET 1 MiB", Table = Table.Transfers,
            Path = PathOf(lab.Content.Medium.Digest), Scope = Pull, Size = lab.Content.Medium.Size,
            Fronts = IsForBlobs, Count = (lab.Sizes.MediumBlobs, 4),
        },
        new RequestWorkload(lab)
        {
            Key = "blob-large", Title = $"blob GET {lab.Content.Large.Size >> 20} MiB", Table = Table.Transfers,
            Path = PathOf(lab.Content.Large.Digest), Scope = Pull, Size = lab.Content.Large.Size,
            Fronts = IsForBlobs, Count = (lab.Sizes.LargeBlobs, 2),
        },
        new UploadWorkload(lab, isChunked: false),
        new UploadWorkload(lab, isChunked: true),
        new ClientWorkload(lab, isPush: false),
        new ClientWorkload(lab, isPush: true),
    ];

    private static IEnumerable<IFrontWorkload> SignIns(Lab lab)
    {
        var tokens = new Dictionary<string, string>();
        return
        [
            new RequestWorkload(lab)
            {
                Key = "basic", Title = "ping with a password", Table = Table.SignIns, Path = "/v2/",
                Password = static _ => Task.FromResult(Lab.Password),
                Fronts = static front => front is FrontSet.NginxAuth or FrontSet.RegistryAuth || IsGateway(front),
            },
            new RequestWorkload(lab)
            {
                Key = "token-password", Title = "token exchange by password", Table = Table.SignIns, Scope = Pull,
                Password = static _ => Task.FromResult(Lab.Password), Fronts = IsGateway,
            },
            new RequestWorkload(lab)
            {
                Key = "token-personal", Title = "token exchange by personal token", Table = Table.SignIns,
                Scope = Pull, Password = front => PersonalTokenAsync(lab, front, tokens), Fronts = IsGateway,
            },
            new ConnectionWorkload(lab, isResumed: false),
            new ConnectionWorkload(lab, isResumed: true),
        ];
    }

    private static async Task<string> PersonalTokenAsync(Lab lab, Front front, Dictionary<string, string> tokens)
    {
        if (!tokens.TryGetValue(front.Key, out var token))
        {
            tokens[front.Key] = token = (await Command.RunAsync([
                Path.Combine(lab.Options.Gateway, "gateway"), "token", "create", "bench", "--user", Lab.User, "--all",
                "--quiet", "--config", front.Gateway!.ConfigurationFile,
            ])).Trim();
        }

        return token;
    }

    private static string PathOf(string digest) => $"/v2/{Content.Repository}/blobs/{digest}";

    private static bool IsForRequests(string front) => front is not (FrontSet.RegistryAuth or FrontSet.NginxUnbuffered);

    private static bool IsForBlobs(string front) => front is not (FrontSet.RegistryAuth or FrontSet.NginxAuth);

    private static bool IsGateway(string front) => front.StartsWith(FrontSet.Gateway, StringComparison.Ordinal);
}
