using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;

namespace Gateway.Server.Registry.Policies;

/// <summary>A question to the policy as a person writes it, on the command line or in a test file.</summary>
internal sealed record PolicyQuestion
{
    /// <summary>The registry asked about where none is named: the sample configuration's.</summary>
    public const string DefaultRegistry = "main";

    public required string Subject { get; init; }

    public IReadOnlyList<string> Groups { get; init; } = [];

    public string? Method { get; init; }

    public IReadOnlyDictionary<string, string> Claims { get; init; } = FrozenDictionary<string, string>.Empty;

    public string Address { get; init; } = "127.0.0.1";

    public required DateTimeOffset Time { get; init; }

    public string Registry { get; init; } = DefaultRegistry;

    /// <summary>One action, as RequiredAccess groups them: <c>push</c> asks for pull as well.</summary>
    public required string Action { get; init; }

    public required string Repository { get; init; }

    public string? Tag { get; init; }

    /// <summary>Builds the request; where a part cannot be read, says which and what would be right.</summary>
    public bool TryBuild(out AccessRequest request, [NotNullWhen(false)] out string? problem)
    {
        request = default;
        if (!TryReadSubject(out var subject, out problem))
        {
            return false;
        }

        if (!ActionNames.TryParse(Action, out var action))
        {
            problem = $"action \"{Action}\" is not one of {string.Join(", ", ActionNames.Names)}";
            return false;
        }

        if (!RepositoryName.TryParse(Repository, out var repository))
        {
            problem = $"repository \"{Repository}\" is not a repository name, such as team-a/app";
            return false;
        }

        var scope = action == RepositoryActions.Delete ? TagScope.Unknown : TagScope.None;
        if (Tag is not null)
        {
            if (!Gateway.Core.Registry.Tag.TryParse(Tag, out var tag))
            {
                problem = $"tag \"{Tag}\" is not a tag, such as v1.4";
                return false;
            }

            scope = TagScope.Of(tag);
        }

        if (!IPAddress.TryParse(Address, out var address))
        {
            problem = $"address \"{Address}\" is not an IP address";
            return false;
        }

        request = new AccessRequest
        {
            Subject = subject,
            Registry = Registry,
            Repository = repository,
            Actions = action == RepositoryActions.Push ? RepositoryActions.Pull | RepositoryActions.Push : action,
            Tag = scope,
            ClientAddress = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address,
            Time = Time,
        };
        return true;
    }

    private bool TryReadSubject([NotNullWhen(true)] out Subject? subject, [NotNullWhen(false)] out string? problem)
    {
        subject = null;
        problem = null;
        if (Subject == "anonymous")
        {
            subject = Gateway.Core.Authorization.Subject.Anonymous;
            return true;
        }

        var colon = Subject.IndexOf(':', StringComparison.Ordinal);
        var (kind, name) = colon < 0 ? ("user", Subject) : (Subject[..colon], Subject[(colon + 1)..]);
        (SubjectKind Kind, string? Method)? known = kind switch
        {
            "user" => (SubjectKind.User, Method ?? "htpasswd"),
            "robot" => (SubjectKind.Robot, Method ?? "robot"),
            "workload" => (SubjectKind.Workload, Method),
            _ => null,
        };
        if (known is null || !SubjectSelector.IsName(name))
        {
            problem = $"subject \"{Subject}\" is not one of user:NAME, robot:NAME, workload:NAME and anonymous";
            return false;
        }

        if (known.Value.Method is null)
        {
            problem = $"subject \"{Subject}\" needs a method, such as issuer:github";
            return false;
        }

        subject = new Subject
        {
            Kind = known.Value.Kind,
            Name = name,
            Method = known.Value.Method,
            Groups = Groups,
            Claims = Claims.ToFrozenDictionary(StringComparer.Ordinal),
        };
        return true;
    }
}
