using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Bench.Fronts;
using Gateway.Bench.Load;
using Gateway.Bench.Machine;

namespace Gateway.Bench.Workloads;

/// <summary>Whole pulls or pushes of an image with skopeo, sign-in included: a process each time.</summary>
internal sealed class ClientWorkload(Lab lab, bool isPush) : IFrontWorkload
{
    private const int LayerSize = 1 << 20;
    private const int Layers = 3;

    private int _copies;

    /// <inheritdoc/>
    public string Key => isPush ? "client-push" : "client-pull";

    /// <inheritdoc/>
    public string Title => isPush
        ? $"skopeo pushes an image of {Layers} × 1 MiB"
        : $"skopeo pulls an image of {Layers} × 1 MiB";

    /// <inheritdoc/>
    public Table Table => Table.Transfers;

    /// <inheritdoc/>
    public bool AppliesTo(string front) => front != FrontSet.NginxUnbuffered;

    /// <inheritdoc/>
    public async Task<Measurement> RunAsync(Front front, CancellationToken cancellationToken)
    {
        var folders = new List<string>();
        try
        {
            for (var i = 0; i < lab.Sizes.Copies; i++)
            {
                folders.Add(Path.Combine(lab.Options.Scratch, $"image-{++_copies}"));
                MakeImage(folders[i]);
            }

            if (!isPush)
            {
                await CopyAsync(front, folders[0], isPushed: true); // so that it is there
            }

            return await Measurement.TakeAsync(front, async () =>
            {
                foreach (var folder in folders)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    await CopyAsync(front, folder, isPush);
                }

                return folders.Count;
            });
        }
        finally
        {
            foreach (var folder in folders)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private async Task CopyAsync(Front front, string folder, bool isPushed)
    {
        // The one that the others pull is pushed by name; each push makes a new repository.
        var repository = isPush ? $"bench/{Path.GetFileName(folder)}" : "bench/pulled";
        var (there, here) = ($"docker://{front.Address.Authority}/{repository}:1", $"dir:{folder}");
        var side = isPushed ? "dest" : "src";
        await Command.RunAsync([
            "skopeo", "--insecure-policy", "copy", "--quiet",
            .. front.Address.Scheme == "https"
                ? new[] { $"--{side}-cert-dir", TrustFolder() }
                : [$"--{side}-tls-verify=false"],
            .. front.SignIn == SignIn.None ? Array.Empty<string>() : [$"--{side}-creds", $"{Lab.User}:{Lab.Password}"],
            isPushed ? here : there,
            isPushed ? there : here,
        ]);
    }

    private string TrustFolder()
    {
        var folder = lab.FolderOf("skopeo");
        Directory.CreateDirectory(folder);
        File.Copy(lab.AuthorityFile, Path.Combine(folder, "ca.crt"), overwrite: true);
        return folder;
    }

    // In skopeo's own format of a folder: files by their digests. New bytes each time, so that nothing is known
    // already.
    private static void MakeImage(string folder)
    {
        Directory.CreateDirectory(folder);
        var layers = new JsonArray();
        var diffs = new JsonArray();
        for (var i = 0; i < Layers; i++)
        {
            var layer = Write(folder, RandomNumberGenerator.GetBytes(LayerSize), "layer.v1.tar");
            diffs.Add((string)layer["digest"]!);
            layers.Add(layer);
        }

        var configuration = new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = diffs },
        };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = Content.ManifestType,
            ["config"] = Write(folder, Encoding.UTF8.GetBytes(configuration.ToJsonString()), "config.v1+json"),
            ["layers"] = layers,
        };
        File.WriteAllText(Path.Combine(folder, "manifest.json"), manifest.ToJsonString());
        File.WriteAllText(Path.Combine(folder, "version"), "Directory Transport Version: 1.1\n");
    }

    private static JsonObject Write(string folder, byte[] content, string type)
    {
        var digest = Content.DigestOf(content);
        File.WriteAllBytes(Path.Combine(folder, digest["sha256:".Length..]), content);
        return new JsonObject
        {
            ["mediaType"] = $"application/vnd.oci.image.{type}",
            ["digest"] = digest,
            ["size"] = content.Length,
        };
    }
}
