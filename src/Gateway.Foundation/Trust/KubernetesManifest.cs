namespace Gateway.Foundation.Trust;

/// <summary>A DaemonSet that writes the files on every node, for containerd and for cri-o.</summary>
internal static class KubernetesManifest
{
    /// <summary>Writes the manifest.</summary>
    /// <param name="name">The registry.</param>
    /// <param name="pem">The authority's certificate.</param>
    public static string Write(RegistryName name, string pem)
    {
        var label = LabelOf(name);
        return
            $$"""
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: {{label}}
              namespace: kube-system
            data:
              ca.crt: |
            {{Indent(pem, 4)}}
              hosts.toml: |
            {{Indent(ContainerdFiles.Hosts(name, $"{ContainerdFiles.Folder}/{name.Text}/ca.crt"), 4)}}
            ---
            apiVersion: apps/v1
            kind: DaemonSet
            metadata:
              name: {{label}}
              namespace: kube-system
            spec:
              selector:
                matchLabels: { app: {{label}} }
              template:
                metadata:
                  labels: { app: {{label}} }
                spec:
                  automountServiceAccountToken: false
                  tolerations: [ { operator: Exists } ]
                  initContainers:
                    - name: write
                      image: docker.io/library/busybox:1.36
                      command: [ sh, -euc ]
                      args:
                        - |
                          put() { # FILE FOLDER; an existing file that differs is kept beside it
                            mkdir -p "$2"
                            if [ -e "$2/$1" ] && ! cmp -s "/trust/$1" "$2/$1" && [ ! -e "$2/$1.before-trust" ]; then
                              cp -p "$2/$1" "$2/$1.before-trust"
                            fi
                            cp "/trust/$1" "$2/.$1.tmp"
                            chmod 0644 "$2/.$1.tmp"
                            mv "$2/.$1.tmp" "$2/$1"
                          }
                          node="/host/containerd/certs.d/{{name.Text}}"
                          if [ -e "$node/hosts.toml" ] && ! cmp -s /trust/hosts.toml "$node/hosts.toml"; then
                            echo "hosts.toml of this node has other content and was not changed; it needs:"
                            cat /trust/hosts.toml
                            exit 1
                          fi
                          put ca.crt "$node"
                          put hosts.toml "$node"
                          put ca.crt "/host/containers/certs.d/{{name.Text}}"
                          grep -qsE "^ *config_path *= *['\"]/" /host/containerd/config.toml ||
                            echo "config.toml of this node lacks config_path = \"{{ContainerdFiles.Folder}}\";" \
                              "containerd needs it, and a restart"
                      volumeMounts:
                        - { name: trust, mountPath: /trust }
                        - { name: containerd, mountPath: /host/containerd }
                        - { name: containers, mountPath: /host/containers }
                  containers:
                    - name: done
                      image: registry.k8s.io/pause:3.10
                      resources: { requests: { cpu: 1m, memory: 8Mi }, limits: { memory: 16Mi } }
                  volumes:
                    - { name: trust, configMap: { name: {{label}} } }
                    - { name: containerd, hostPath: { path: /etc/containerd, type: DirectoryOrCreate } } # containerd
                    - { name: containers, hostPath: { path: /etc/containers, type: DirectoryOrCreate } } # cri-o

            """;
    }

    /// <summary>The name of its objects.</summary>
    public static string LabelOf(RegistryName name) => "trust-" + name.Slug;

    private static string Indent(string text, int spaces) =>
        string.Join(
            '\n',
            text.TrimEnd('\n').Split('\n').Select(line => line.Length == 0 ? line : new string(' ', spaces) + line));
}
