using System.Text;
using Gateway.Core.Authorization;
using Gateway.Foundation.Configuration;
using Gateway.Server.Registry.Policies;
using Gateway.Tests.Support;

namespace Gateway.Tests.Server.Registry.Policies;

public sealed class PolicyFolderTests
{
    private const string Good = "rules:\n- { name: all, to: authenticated, role: reader, on: \"**\" }\n";

    [Fact]
    public void Load_EmptyFolder_DeniesEverything()
    {
        using var files = new PolicyFiles();

        Assert.False(Ask(PolicyFolder.Load(files.Folder), "alice", "pull", "app"));
    }

    [Theory]
    [InlineData("rules: []\n")]
    [InlineData("\uFEFFrules: []\n")]
    [InlineData("groups: {}\nroles: {}\nrules: []\n")]
    public void Load_FileWithoutRules_DeniesEverything(string text)
    {
        using var files = new PolicyFiles(("a.yaml", text));

        Assert.False(Ask(PolicyFolder.Load(files.Folder), "alice", "pull", "app"));
    }

    [Fact]
    public void Load_SeveralFiles_AreReadAsOneInAnyOrder()
    {
        const string groups = "groups:\n  team: [alice]\nroles:\n  releaser: [pull, push]\n";
        const string rules = "rules:\n- { name: r, to: [ \"group:team\" ], role: releaser, on: [ \"app\" ] }\n";
        using var ab = new PolicyFiles(("a.yaml", groups), ("b.yaml", rules));
        using var ba = new PolicyFiles(("a.yaml", rules), ("b.yaml", groups));

        foreach (var folder in new[] { ab.Folder, ba.Folder })
        {
            Assert.True(Ask(PolicyFolder.Load(folder), "alice", "push", "app"));
            Assert.False(Ask(PolicyFolder.Load(folder), "bob", "push", "app"));
        }
    }

    [Fact]
    public void Load_DesignExample_MeansWhatItSays()
    {
        using var files = new PolicyFiles(("a.yaml", """
            groups:
              platform: [alice, bob]
              team-a: [dora, "robot:ci", "group:platform"]
              release-managers: [bob]
            roles:
              releaser: [pull, push]
            rules:
              - name: team-a writes its repositories
                to: [ group:team-a ]
                role: writer
                on: [ "team-a/**" ]
              - name: own namespace
                to: [ authenticated ]
                role: owner
                on: [ "users/${subject}/**" ]
              - name: release tags are immutable
                deny: [ overwrite, delete ]
                on: [ "**" ]
                tags: [ "v*" ]
                unless: [ group:release-managers ]
              - name: main branch of acme/app publishes from CI
                to: [ "issuer:github" ]
                when: { repository: acme/app, ref: refs/heads/main }
                role: writer
                on: [ "acme/app" ]
              - name: office hours
                to: user:dora
                allow: delete
                on: team-a/app
                registries: main
                when:
                  address: [ 10.0.0.0/8, "2001:db8::1" ]
                  time: { days: [mon, wednesday], from: "08:00", to: "18:00", timezone: Europe/Berlin }
                  method: [ htpasswd ]
                  claims: { address: berlin }
            """));

        var policy = PolicyFolder.Load(files.Folder);

        Assert.Equal(5, policy.RuleCount);
        Assert.True(Ask(policy, "alice", "push", "team-a/app", "v1"));
        Assert.True(Ask(policy, "robot:ci", "push", "team-a/app", "v1"));
        Assert.False(Ask(policy, "alice", "overwrite", "team-a/app", "v1"));
        Assert.True(Ask(policy, "bob", "overwrite", "team-a/app", "v1"));
        Assert.True(Ask(policy, "eve", "delete", "users/eve/app", "latest"));
        Assert.False(Ask(policy, "eve", "delete", "users/eve/app", "v1"));
        Assert.True(Ci(policy, "refs/heads/main"));
        Assert.False(Ci(policy, "refs/heads/dev"));
        Assert.True(Dora(policy));
        Assert.False(Dora(policy, address: "11.0.0.1"));
        Assert.False(Dora(policy, hour: 7 - 1));
        Assert.True(Dora(policy, hour: 7));
        Assert.False(Dora(policy, registry: "mirror"));
        Assert.False(Dora(policy, city: "paris"));

        static bool Ci(PolicySet policy, string branch) => Decide(policy, new PolicyQuestion
        {
            Subject = "workload:w",
            Method = "issuer:github",
            Claims = new Dictionary<string, string> { ["repository"] = "acme/app", ["ref"] = branch },
            Action = "push",
            Repository = "acme/app",
            Time = PolicyTestFile.DefaultTime,
        });

        static bool Dora(
            PolicySet policy, string address = "10.0.0.1", int hour = 12, string registry = "main",
            string city = "berlin") =>
            Decide(policy, new PolicyQuestion
            {
                Subject = "user:dora",
                Claims = new Dictionary<string, string> { ["address"] = city },
                Address = address,
                Action = "delete",
                Repository = "team-a/app",
                Tag = "latest",
                Registry = registry,
                Time = new DateTimeOffset(2025, 1, 1, hour, 0, 0, TimeSpan.Zero),
            });
    }

    // Each line: what stands in the file, and the whole problem without the folder.
    [Theory]
    [InlineData("rule: []", "1:1: unknown key (found \"rule\"). Did you mean \"rules\"?")]
    [InlineData(
        "rules: []\nrules: []", "2:1: the key \"rules\" appears again here, after line 1. Keep one of the two.")]
    [InlineData("- a", "1:1: the file is a list. Begin it with a key, such as \"rules:\".")]
    [InlineData(
        "rules: x", "1:8: rules: a text instead of a list (found \"x\"). Begin each rule with \"- name: …\".")]
    [InlineData(
        "rules: [ x ]", "1:10: rules: a text instead of a map (found \"x\"). Begin each rule with \"- name: …\".")]
    [InlineData(
        "rules:\n- {to: authenticated, role: reader, on: a}",
        "2:3: a rule without \"name\". Add \"name: …\", a sentence that says what the rule is for.")]
    [InlineData(
        "rules:\n- {name: x, to: authenticated, role: reader}",
        "2:3: a rule without \"on\". Name repositories, as in on: [ \"team-a/**\" ].")]
    [InlineData(
        "rules:\n- {name: x, role: reader, on: a}",
        "2:3: an allow without \"to\" (found \"x\"). Write to whom it applies, such as \"to: [ authenticated ]\" or "
            + "\"to: [ group:team-a ]\".")]
    [InlineData(
        "rules:\n- {name: x, to: authenticated, on: a}",
        "2:3: a rule that neither allows nor denies. Write exactly one of \"role: writer\", \"allow: [pull]\" and "
            + "\"deny: [delete]\".")]
    [InlineData(
        "rules:\n- {name: x, to: authenticated, on: a, role: reader, deny: all}",
        "2:3: a rule with role and deny. Write exactly one of \"role: writer\", \"allow: [pull]\" and \"deny: "
            + "[delete]\".")]
    [InlineData(
        "rules:\n- {name: x, to: authenticated, on: a, role: writter}",
        "2:45: role: unknown role (found \"writter\"). Did you mean \"writer\"?")]
    [InlineData(
        "rules:\n- {name: x, to: authenticated, on: a, allow: [psh]}",
        "2:47: allow: unknown action (found \"psh\"). Did you mean \"push\"?")]
    [InlineData(
        "rules:\n- {name: x, to: authenticated, on: a, allow: all}",
        "2:46: allow: unknown action (found \"all\"). Write a list of pull, push, overwrite, delete.")]
    [InlineData(
        "rules:\n- {name: x, to: authenticated, on: a, allow: [overwrite]}",
        "2:46: allow: overwrite without push. Write push, which includes overwrite unless a rule denies it.")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, tag: v1}", "2:31: unknown key (found \"tag\"). Did you mean \"tags\"?")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, tags: []}",
        "2:37: tags: 0 entries. Remove the key, or list at least one entry. Write tag patterns, such as \"v*\".")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, tags: [ \"v 1\" ]}",
        "2:39: tags: no tag can match (found \"v 1\"). Use letters, digits, \"_\", \".\" and \"-\", and \"*\" for any "
            + "of them.")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, unless: }",
        "2:39: unless: nothing instead of a text (found \"\"). Write a list of user:NAME, robot:NAME, group:NAME, "
            + "issuer:NAME, authenticated, anonymous or everyone.")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: Team/App}",
        "2:28: on: not a repository pattern (found \"Team/App\"). Write it in lower case, as repository names are.")]
    [InlineData(
        "rules:\n- {name: x, to: alice, role: reader, on: a}",
        "2:17: to: not a valid subject (found \"alice\"). Did you mean \"user:alice\" or \"group:alice\"?")]
    [InlineData(
        "rules:\n- {name: x, to: usr:alice, role: reader, on: a}",
        "2:17: to: not a valid subject (found \"usr:alice\"). Did you mean \"user:alice\"?")]
    [InlineData(
        "rules:\n- {name: x, to: annonymous, role: reader, on: a}",
        "2:17: to: not a valid subject (found \"annonymous\"). Did you mean \"anonymous\"?")]
    [InlineData(
        "rules:\n- {name: x, to: [ user: alice ], role: reader, on: a}",
        "2:19: to: a map instead of a text. Write a list of user:NAME, robot:NAME, group:NAME, issuer:NAME, "
            + "authenticated, anonymous or everyone.")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {adress: 10.0.0.0/8}}",
        "2:38: when: unknown condition (found \"adress\"). Did you mean \"address\"? A claim of this name goes under "
            + "\"claims:\".")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {address: 10.0.0.1/8}}",
        "2:47: address: a network with bits set beyond its length (found \"10.0.0.1/8\"). Did you mean \"10.0.0.0/8\"?")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {address: 010.0.0.1}}",
        "2:47: address: not an address or network (found \"010.0.0.1\"). Write an address or network, such as "
            + "10.0.0.0/8 or 2001:db8::/32.")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {address: \"::ffff:10.0.0.1\"}}",
        "2:47: address: an IPv4 address in IPv6 form, which matches no client (found \"::ffff:10.0.0.1\"). Write "
            + "10.0.0.1.")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {address: 10.0.0.0/33}}",
        "2:47: address: the part after the slash is not between 0 and 32 (found \"10.0.0.0/33\"). Write an address or "
            + "network, such as 10.0.0.0/8 or 2001:db8::/32.")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {time: {from: \"8:00\"}}}",
        "2:51: from: not a time of day (found \"8:00\"). Write a time of day between \"00:00\" and \"24:00\".")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {time: {from: \"08:00\", to: \"08:00\"}}}",
        "2:44: time: a window without length. Set different times for \"from\" and \"to\"; a window may span midnight.")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {time: {days: monday, timezone: Europe/Berlim}}}",
        "2:69: timezone: unknown time zone (found \"Europe/Berlim\"). Write a name that the system's tzdata has, such "
            + "as \"Europe/Berlin\".")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {time: {days: [mo]}}}",
        "2:52: days: unknown day (found \"mo\"). Write days as [mon, tue, wed, thu, fri, sat, sun].")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {}}",
        "2:37: when: no conditions. Remove the key or name a condition.")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {ref: []}}",
        "2:43: ref: 0 entries. Remove the key, or list at least one entry. Write the claim's value, or a list of "
            + "values; \"*\" matches any characters.")]
    [InlineData(
        "roles: {reader: [pull]}", "1:9: a role of this name is built in (found \"reader\"). Choose another name.")]
    [InlineData(
        "roles: {a: [pull], a: [pull]}", "1:20: the key \"a\" appears again here, after line 1. Keep one of the two.")]
    [InlineData(
        "groups: {a: [ci:x]}",
        "1:14: groups.a: unknown kind of member (found \"ci:x\"). Write a list of user names, robot:NAME or "
            + "group:NAME.")]
    [InlineData(
        "groups: {a: [anonymous]}",
        "1:14: groups.a: not a member but a kind of caller (found \"anonymous\"). Use it under \"to\" of a rule; a "
            + "user of that name is \"user:anonymous\".")]
    [InlineData(
        "groups: {a: [ \"group:b\" ], b: [ \"group:c\" ], c: [ \"group:a\" ]}",
        "1:10: groups: a circular reference (found \"a → b → c → a\"). Remove one of the groups from "
            + "another.")]
    [InlineData(
        "rules:\n- name: x\n  deny: all\n  on: [ ** ]",
        "4:9: a value that begins with \"*\" is an alias, and aliases are not supported (found \"**\"). Put the value "
            + "in quotes, as in \"*:8443\" or \"**\"; or repeat the value of the alias here.")]
    [InlineData(
        "rules: &a []",
        "1:8: a value that begins with \"&\" is an anchor, and anchors are not supported (found \"&a\"). Put the "
            + "value in quotes; or remove the anchor and repeat its value wherever it is needed.")]
    [InlineData(
        "rules: !!seq []",
        "1:8: a value that begins with \"!\" has a tag, and tags are not supported (found \"tag:yaml.org,2002:seq\"). "
            + "Put the value in quotes; or remove the tag.")]
    [InlineData(
        "rules: []\n---\nrules: []",
        "2:1: a second document begins here, but the file must have only one. Remove the line \"---\" and everything "
            + "that does not belong in this file.")]
    [InlineData(
        "groups: {<<: x}", "1:10: merge keys (\"<<\") are not supported. Repeat the settings where they are needed.")]
    [InlineData("groups: {? [a] : x}", "1:12: a key must be one word. Write it as \"key: value\".")]
    [InlineData(
        "rules: *r",
        "1:8: a value that begins with \"*\" is an alias, and aliases are not supported (found \"*r\"). Put the value "
            + "in quotes, as in \"*:8443\" or \"**\"; or repeat the value of the alias here.")]
    [InlineData(
        "rules:\n- {name: x, deny: all, on: a, when: {time: {to: !x 08:00}}}",
        "2:49: a value that begins with \"!\" has a tag, and tags are not supported (found \"!x\"). Put the value in "
            + "quotes; or remove the tag.")]
    public void Load_SomethingWrong_NamesPlaceValueAndFix(string text, string problem)
    {
        using var files = new PolicyFiles(("a.yaml", text));

        Assert.Equal([$"{files.Folder}/a.yaml:{problem}"], Problems(files.Folder));
    }

    [Fact]
    public void Load_NotYaml_NamesThePlace()
    {
        using var files = new PolicyFiles(("a.yaml", "rules:\n- name: x\n  on: [ users/${subject}/** ]\n"));

        var problem = Assert.Single(Problems(files.Folder));
        Assert.StartsWith($"{files.Folder}/a.yaml:3:", problem, StringComparison.Ordinal);
        Assert.EndsWith(
            "or that holds one of { } [ ] in a list in brackets, needs quotes.", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ManyThingsWrongInSeveralFiles_NamesAllAtOnce()
    {
        using var files = new PolicyFiles(
            ("a.yaml",
                "groups: {team: [alice]}\nrules:\n- {name: x, to: alice, role: nobody, on: A}\n- {name: y, deny: all, "
                    + "on: a}\n"),
            ("b.yaml", "groups: {team: [bob]}\nrules:\n- {name: y, deny: all, on: a}\n"));

        Assert.Equal(
            [
                $"{files.Folder}/a.yaml:3:17: to: not a valid subject (found \"alice\"). Did you mean \"user:alice\" "
                    + "or \"group:alice\"?",
                $"{files.Folder}/a.yaml:3:30: role: unknown role (found \"nobody\"). Known: owner, reader, writer.",
                $"{files.Folder}/a.yaml:3:42: on: not a repository pattern (found \"A\"). Write it in lower case, as "
                    + "repository names are.",
                $"{files.Folder}/b.yaml:1:10: group already declared in a.yaml:1 (found \"team\"). Declare a group "
                    + "once; nest groups with \"group:NAME\" among the members.",
                $"{files.Folder}/b.yaml:3:3: a rule with this name is already in a.yaml:4 (found \"y\"). Give it "
                    + "another name: error messages and audit lines name rules.",
            ],
            Problems(files.Folder));
    }

    [Fact]
    public void Load_RegistryThatIsNotConfigured_IsAProblem()
    {
        using var files = new PolicyFiles(("a.yaml", "rules:\n- {name: x, deny: all, on: a, registries: [ mian ]}\n"));

        var exception = Assert.Throws<ProblemException>(() => PolicyFolder.Load(files.Folder, ["main", "mirror"]));
        Assert.Equal(
            $"{files.Folder}/a.yaml:2:45: registries: unknown registry (found \"mian\"). Did you mean \"main\"?",
            exception.Message);
        Assert.Equal(1, PolicyFolder.Load(files.Folder).RuleCount);
    }

    [Fact]
    public void Load_WhatLooksLikeAPolicyButIsNotRead_IsAProblem()
    {
        using var files = new PolicyFiles(
            ("a.yaml", Good), ("b.yml", Good), ("C.YAML", Good), ("more/d.yaml", Good), ("README.md", ""),
            ("..data/e.yaml", Good), (".f.yaml", "{"));

        Assert.Equal(
            [
                $"{files.Folder}/C.YAML: only files named *.yaml are read. Rename it, or move it out of the policy "
                    + "folder.",
                $"{files.Folder}/b.yml: only files named *.yaml are read. Rename it, or move it out of the policy "
                    + "folder.",
                $"{files.Folder}/more: policy files in a subfolder of the policy folder are not read. Move them into "
                    + "the policy folder itself, or out of it.",
            ],
            Problems(files.Folder));
    }

    [Fact]
    public void Load_NoFolder_IsAProblem()
    {
        using var files = new PolicyFiles(("a.yaml", Good));
        var missing = Path.Combine(files.Folder, "none");

        Assert.Equal(
            [
                $"{missing}: the folder does not exist. Create it, or set \"policies\" to the folder of the policy "
                    + "files.",
            ], Problems(missing));
        Assert.Equal(
            [$"{files.Folder}/a.yaml: a file, not a folder. Set \"policies\" to the folder that it is in."],
            Problems(Path.Combine(files.Folder, "a.yaml")));
    }

    [Fact]
    public void Load_FileOverFourMebibytesOrNotText_IsAProblem()
    {
        using var files = new PolicyFiles(("a.yaml", new string('#', (4 << 20) + 1)));
        File.WriteAllBytes(Path.Combine(files.Folder, "b.yaml"), [.. "# "u8, 0xff]);

        Assert.Equal(
            [
                $"{files.Folder}/a.yaml: is larger than 4 MiB. Make it UTF-8 text of at most 4 MiB that the gateway's "
                    + "account can read; split a larger file.",
                $"{files.Folder}/b.yaml: is not UTF-8 text. Make it UTF-8 text of at most 4 MiB that the gateway's "
                    + "account can read; split a larger file.",
            ],
            Problems(files.Folder));
    }

    [Fact]
    public void Load_DeeplyNestedOrEndlessLists_AreRefusedAtOnce()
    {
        using var files = new PolicyFiles(
            ("a.yaml", "rules: " + new string('[', 100_000)),
            ("b.yaml",
                "rules:\n- {name: x, deny: all, on: [" + string.Join(',', Enumerable.Repeat("a", 1_001)) + "]}\n"));

        Assert.Equal(
            [
                $"{files.Folder}/a.yaml:1:39: values are nested more than 32 deep. Fix the brackets or the "
                    + "indentation.",
                $"{files.Folder}/b.yaml:2:28: on: 1001 entries. Use at most 1000, or a group or a wider pattern.",
            ],
            Problems(files.Folder));
    }

    [Fact]
    public void Read_HardlyMeant_WarnsAndStillLoads()
    {
        using var files = new PolicyFiles(("a.yaml", """
            groups:
              team: [alice]
              unused: [bob]
            rules:
            - { name: a, to: "group:teams", role: reader, on: "*" }
            - { name: b, deny: all, on: "prod/*", when: { event: pull_request } }
            - { name: c, to: anonymous, role: writer, on: "open/*" }
            - { name: d, to: "group:team", role: reader, on: "x/*" }
            - { name: e, deny: all, to: "issuer:github", on: "prod/**", when: { event: pull_request } }
            """));

        var reading = PolicyFolder.Read(files.Folder);

        Assert.Empty(reading.Problems);
        Assert.Equal(
            [
                $"{files.Folder}/a.yaml:3:3: no rule uses this group (found \"unused\"). Remove it or name it in a "
                    + "rule.",
                $"{files.Folder}/a.yaml:5:3: rule \"a\": \"*\" matches only repositories without a slash (found "
                    + "\"*\"). Write \"**\" for all repositories.",
                $"{files.Folder}/a.yaml:5:3: rule \"a\": no policy file declares this group (found \"teams\"). Did "
                    + "you mean \"team\"?",
                $"{files.Folder}/a.yaml:6:3: rule \"b\": this deny does not match nested repositories (found "
                    + "\"prod/*\"). Write \"prod/**\" to deny those as well.",
                $"{files.Folder}/a.yaml:6:3: rule \"b\": a deny by claim also refuses callers without such a claim, "
                    + "including people (found \"event\"). Name the issuer: \"to: [ issuer:… ]\".",
                $"{files.Folder}/a.yaml:7:3: rule \"c\": callers without credentials may change repositories (found "
                    + "\"pull, push\"). Grant them \"reader\" at most.",
            ],
            Warnings(reading));
    }

    [Fact]
    public void Read_RandomBytes_NeverThrows()
    {
        var random = new Random(20250101);
        var seed = Encoding.UTF8.GetBytes(Good + "groups: { a: [ b, \"group:c\" ] }\nroles: { r: [pull] }\n");
        using var files = new PolicyFiles();
        for (var i = 0; i < 3_000; i++)
        {
            var bytes = (byte[])seed.Clone();
            for (var change = random.Next(1, 6); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0
                    ? (byte)random.Next(256)
                    : (byte)"{}[]:,-&*!|>'\"%@`# \n\t"[random.Next(21)];
            }

            File.WriteAllBytes(Path.Combine(files.Folder, "a.yaml"), bytes);
            var reading = PolicyFolder.Read(files.Folder);
            Assert.All(reading.Problems, static problem => Assert.DoesNotContain('\n', problem.ToString()));
        }
    }

    private static string[] Problems(string folder) =>
        [
            .. Assert.Throws<ProblemException>(() => PolicyFolder.Load(folder)).Problems.Select(
                static problem => problem.ToString()),
        ];

    private static IEnumerable<string> Warnings(PolicyReading reading) =>
        reading.Warnings.Select(static warning => warning.ToString());

    private static bool Ask(PolicySet policy, string subject, string action, string repository, string? tag = null) =>
        Decide(policy, new PolicyQuestion
        {
            Subject = subject,
            Action = action,
            Repository = repository,
            Tag = tag,
            Time = PolicyTestFile.DefaultTime,
        });

    private static bool Decide(PolicySet policy, PolicyQuestion question)
    {
        Assert.True(question.TryBuild(out var request, out var problem), problem);
        return policy.Evaluate(in request).IsAllowed;
    }
}
