using Gateway.Client.Doctor.Client;
using Gateway.Foundation.Trust;
using Tomlyn.Model;

namespace Gateway.Client.Trust;

/// <summary>What containerd's configuration says about the folder of registries.</summary>
/// <param name="Folders">What <c>config_path</c> names; empty if it is not set.</param>
/// <param name="Version">
/// The version of the file, 1 if it names none; <see langword="null"/> if there is no file.
/// </param>
/// <param name="IsCriOff">Whether it does not serve Kubernetes, as with docker's package.</param>
/// <param name="HasOldSettings">
/// Whether it has <c>mirrors</c> or <c>configs</c>, which cannot be combined with <c>config_path</c>.
/// </param>
/// <param name="Fault">Why it cannot be read.</param>
internal sealed record ContainerdConfiguration(
    IReadOnlyList<string> Folders, long? Version, bool IsCriOff, bool HasOldSettings, string? Fault)
{
    private static readonly string[] Plugins = ["io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", "cri"];

    /// <summary>The lines that set <c>config_path</c>, each with its version of the file.</summary>
    public string Lines => Version switch
    {
        >= 3 => ContainerdFiles.Version3,
        2 => ContainerdFiles.Version2,
        1 => ContainerdFiles.Version1,
        _ =>
            $"# containerd 1.x\nversion = 2\n{ContainerdFiles.Version2}\n# or containerd 2.x\nversion = "
            + $"3\n{ContainerdFiles.Version3}",
    };

    /// <summary>Reads it, and what it imports.</summary>
    public static ContainerdConfiguration Read(ClientMachine machine)
    {
        if (machine.ReadToml(ContainerdFiles.Configuration, out var fault) is not { } main)
        {
            return new ContainerdConfiguration([], null, IsCriOff: false, HasOldSettings: false, fault);
        }

        var folders = new List<string>();
        var (isOff, hasOld) = (false, false);
        foreach (var table in Imported(machine, main).Append(main))
        {
            isOff |= table.TryGetValue("disabled_plugins", out var off) && off is TomlArray all
                && all.OfType<string>().Any(static one => Plugins.Contains(one) || one == "io.containerd.grpc.v1.cri");
            foreach (var registry in Plugins.Select(
                plugin => Dig(table, "plugins", plugin, "registry")).OfType<TomlTable>())
            {
                hasOld |= registry.ContainsKey("mirrors") || registry.ContainsKey("configs");
                if (registry.TryGetValue("config_path", out var path) && path is string text)
                {
                    folders.AddRange(
                        text.Split(':', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
                }
            }
        }

        var version = main.TryGetValue("version", out var number) && number is long value ? value : 1;
        return new ContainerdConfiguration(folders, version, isOff, hasOld, Fault: null);
    }

    private static IEnumerable<TomlTable> Imported(ClientMachine machine, TomlTable main)
    {
        if (!main.TryGetValue("imports", out var imports) || imports is not TomlArray all)
        {
            yield break;
        }

        foreach (var pattern in all.OfType<string>())
        {
            var path = pattern.StartsWith('/') ? pattern : "/etc/containerd/" + pattern;
            var cut = path.LastIndexOf('/');
            foreach (var file in machine.Files(path[..cut], path[(cut + 1)..]))
            {
                if (machine.ReadToml(file, out _) is { } table)
                {
                    yield return table;
                }
            }
        }
    }

    private static TomlTable? Dig(TomlTable table, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (!table.TryGetValue(name, out var next) || next is not TomlTable below)
            {
                return null;
            }

            table = below;
        }

        return table;
    }
}
