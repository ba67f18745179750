using System.Globalization;
using System.Text;

namespace Gateway.Benchmarks;

/// <summary>Writes a policy folder of any size, in the shapes that policies of large registries have.</summary>
internal static class PolicyFolderGenerator
{
    private const int RulesPerTeam = 10;

    /// <summary>Writes the files; what was in the folder under the same names is replaced.</summary>
    /// <param name="folder">Created where it is missing.</param>
    /// <param name="rules">How many rules in total.</param>
    /// <param name="files">Over how many files; one file holds at most 4 MiB, about 25,000 rules.</param>
    public static void Write(string folder, int rules, int files)
    {
        Directory.CreateDirectory(folder);
        var teams = Math.Max(1, rules / RulesPerTeam);
        var perFile = (rules + files - 1) / files;
        for (var file = 0; file < files; file++)
        {
            var text = new StringBuilder();
            if (file == 0)
            {
                AppendGroups(text, teams);
            }

            text.Append("rules:\n");
            for (var i = file * perFile; i < Math.Min(rules, (file + 1) * perFile); i++)
            {
                text.Append(CultureInfo.InvariantCulture, $"{Rule(i, i / 3 % teams)}\n");
            }

            var name = string.Create(CultureInfo.InvariantCulture, $"{file:000}.yaml");
            File.WriteAllText(Path.Combine(folder, name), text.ToString());
        }
    }

    private static void AppendGroups(StringBuilder text, int teams)
    {
        text.Append("# Generated.\ngroups:\n  release-managers: [admin]\n");
        for (var team = 0; team < teams; team++)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"  team-{team}: [ user-{team}, user-{team + 1}, \"robot:builder-{team}\" ]\n");
        }

        text.Append("roles:\n  releaser: [pull, push]\n\n");
    }

    private static FormattableString Rule(int i, int team) => (i % 20) switch
    {
        < 6 => $"""
              - name: team-{team} writes repository {i}
                to: [ "group:team-{team}" ]
                role: writer
                on: [ "area-{i % 100}/team-{team}/repository-{i}" ]
            """,
        < 9 => $"""
              - name: readers of area {i}
                to:
                  - group:team-{team}
                  - user:user-{i}
                allow: [pull]
                on:
                  - area-{i % 100}/shared-{i}/**
                  - library/{i}/**   # base images
            """,
        < 11 => $"""
              - name: "user-{i} has a namespace of their own"
                to: "user:user-{i}"
                role: owner
                on: [ "users/user-{i}/**", "sandbox/user-{i}-*" ]
            """,
        < 13 => $$"""
              - name: robot ci-{{i}} deploys
                to: [ robot:ci-{{i}} ]
                role: releaser
                on: [ "area-{{i % 100}}/team-{{team}}/**" ]
                when: { address: [ 10.{{i / 256 % 256}}.{{i % 256}}.0/24 ] }
            """,
        < 15 => $"""
              - name: workflow of acme/app-{i}
                to: [ "issuer:github" ]
                allow: [pull, push]
                on: [ "deploy/app-{i}" ]
                when:
                  repository: acme/app-{i}
                  ref: "refs/heads/*"
            """,
        < 17 => $"""
              - name: release tags of team-{team} {i}
                deny: [overwrite, delete]
                on: [ "area-{i % 100}/team-{team}/app-{i}" ]
                tags: [ "v*", "release-{i}-*" ]
                unless: [ "group:release-managers" ]
            """,
        < 19 => $$"""
              - { name: line {{i}}, to: "group:team-{{team}}", role: reader, on: "team-{{i}}-*/**" }
            """,
        _ => $"""
              # Asked for in ticket {i}.
              - name: nobody deletes in area {i}
                deny: [delete]
                on: [ "archive/{i}/**" ]

            """,
    };
}
