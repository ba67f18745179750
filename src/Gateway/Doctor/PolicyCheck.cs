using System.Text.Json;
using Gateway.Client.Doctor;
using Gateway.Core.Authorization;
using Gateway.Core.Registry;
using Gateway.Foundation.Configuration;
using Gateway.Server.Host.Configuration;
using Gateway.Server.Registry.Policies;
using Gateway.Server.Requests.Routing;
using Gateway.Server.SignIn.Authentication;
using Gateway.Server.SignIn.Workloads;

namespace Gateway.Doctor;

/// <summary>
/// Rules that are valid but probably not intended, judged by their text and by what the registries hold.
/// </summary>
internal sealed class PolicyCheck : IServerCheck
{
    private const int MostRepositories = 10_000;
    private const int PageSize = 1000; // Distribution's maximum (catalog.maxentries)

    /// <inheritdoc/>
    public string Area => "POL";

    /// <inheritdoc/>
    public string Subject => "the policies";

    /// <inheritdoc/>
    public async Task RunAsync(ExaminedGateway examined, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var options = examined.Options;
        var reading = PolicyFolder.Read(
            options.Policies, [.. options.Registries.Select(static registry => registry.Name)],
            options.RequireDocumentEnd);
        if (reading.Problems.Count > 0)
        {
            return; // PolicyFileCheck reported that
        }

        var definition = reading.Policy.Definition;
        if (definition.Rules.IsEmpty)
        {
            diagnosis.Warn("POL008", options.Policies, "there are no rules");
            return;
        }

        foreach (var warning in reading.Warnings)
        {
            diagnosis.Warn(IdOf(warning), warning.Source, SettingProblems.EvidenceOf(warning), warning.Fix);
        }

        foreach (var remark in PolicyReview.FindRemarks(definition))
        {
            if (remark.Kind != PolicyRemarkKind.EverybodyWrites || !diagnosis.Has("POL007"))
            {
                diagnosis.Warn(
                    IdOf(remark.Kind), PlaceOf(remark.Rule), $"\"{remark.Rule.Identity.Name}\": {remark.Detail}");
            }
        }

        foreach (var warning in GitHubSubjects.OfPolicies(options.Authentication, definition))
        {
            diagnosis.Warn("POL012", warning.Source, SettingProblems.EvidenceOf(warning), warning.Fix);
        }

        InspectNames(options, definition, diagnosis);
        await InspectCatalogAsync(options, definition, diagnosis, cancellationToken);
        if (!diagnosis.Has(Area))
        {
            diagnosis.Pass(
                Area, options.Policies, $"{DoctorText.Count(definition.Rules.Length, "rule")}, none of them "
                    + "suspicious");
        }
    }

    private static void InspectNames(GatewayOptions options, PolicyDefinition definition, Diagnosis diagnosis)
    {
        var authentication = options.Authentication;
        var declared = definition.Groups.Select(static group => group.Name).ToHashSet(StringComparer.Ordinal);
        var groupsComeFromOutside = authentication.Ldap.Count + authentication.Oidc.Count
            + authentication.Workloads.Count > 0;
        var usersAreInTheFile = !groupsComeFromOutside && authentication.ClientCertificates is null
            && authentication.Htpasswd is not null;
        HtpasswdFile? users = null;
        try
        {
            users = usersAreInTheFile ? AuthenticationServiceExtensions.LoadUsers(authentication) : null;
        }
        catch (ProblemException)
        {
            // HtpasswdCheck reported that
        }

        foreach (var (selector, place) in definition.Rules
            .SelectMany(static rule => rule.To.Concat(rule.Unless).Select(selector => (selector, PlaceOf(rule))))
            .Concat(
                definition.Groups.SelectMany(
                    static group => group.Members.Select(member => (member, $"group {group.Name}"))))
            .DistinctBy(static pair => pair.Item1))
        {
            if (selector.Kind == SubjectSelectorKind.Group && !groupsComeFromOutside
                && !declared.Contains(selector.Name)
                && !diagnosis.Findings.Any(
                    finding => finding.Id == "POL004"
                        && finding.Evidence.Contains(selector.Name, StringComparison.Ordinal)))
            {
                diagnosis.Warn(
                    "POL004", place, $"no policy file declares {selector}, and no source of users has groups");
            }
            else if (selector.Kind == SubjectSelectorKind.User && users is not null
                && users.Find(selector.Name) is null)
            {
                diagnosis.Warn(
                    "POL011", place, $"{selector} is not in {authentication.Htpasswd!.File}, the only source of users",
                    NearestName.Find(selector.Name, [.. users.Names]) is { } near
                        ? $"Did you mean user:{near}?"
                        : null);
            }
        }
    }

    private static async Task InspectCatalogAsync(
        GatewayOptions options, PolicyDefinition definition, Diagnosis diagnosis, CancellationToken cancellationToken)
    {
        var repositories = new List<RepositoryName>();
        foreach (var registry in options.Registries)
        {
            if (registry.ForwardToken || await ReadCatalogAsync(options, registry, cancellationToken) is not { } names)
            {
                diagnosis.NotRun(
                    "POL", $"the patterns against what {registry.Name} holds", "the doctor cannot read its catalog");
                return;
            }

            repositories.AddRange(names);
        }

        if (repositories.Count is 0 or >= MostRepositories)
        {
            return; // an empty registry says nothing
        }

        InspectUnmatched(definition, repositories, diagnosis);
        InspectDepth(definition, repositories, diagnosis);
    }

    private static void InspectUnmatched(
        PolicyDefinition definition, List<RepositoryName> repositories, Diagnosis diagnosis)
    {
        var roots = repositories.Select(static name => name.Value.Split('/')[0])
            .Distinct(StringComparer.Ordinal)
            .ToList();
        foreach (var (pattern, rule) in definition.Rules.SelectMany(
            static rule => rule.On.Select(pattern => (pattern, rule))).DistinctBy(static pair => pair.pattern.Text))
        {
            var root = pattern.Text.Split('/')[0];
            if (root.AsSpan().ContainsAny('*', '$') || repositories.Exists(name => pattern.CouldMatch(name)))
            {
                continue;
            }

            // A team that has pushed nothing yet is not a mistake; a name that is almost another's may be.
            if (!roots.Contains(root, StringComparer.Ordinal) && roots.Find(other => IsSlip(root, other)) is { } near)
            {
                diagnosis.Warn(
                    "POL005", PlaceOf(rule), $"\"{rule.Identity.Name}\": \"{pattern.Text}\" matches no repository, but "
                        + $"there are some below \"{near}/\"",
                    $"Did you mean \"{near}{pattern.Text[root.Length..]}\"?");
            }
            else
            {
                diagnosis.Inform(
                    "POL005", PlaceOf(rule), $"\"{rule.Identity.Name}\": \"{pattern.Text}\" matches no repository");
            }
        }
    }

    private static void InspectDepth(
        PolicyDefinition definition, List<RepositoryName> repositories, Diagnosis diagnosis)
    {
        foreach (var rule in definition.Rules)
        {
            foreach (var pattern in rule.On.Where(
                static pattern => pattern.Text.EndsWith("/*", StringComparison.Ordinal)))
            {
                var prefix = pattern.Text[..^1];
                if (repositories.Find(
                    name => name.Value.StartsWith(prefix, StringComparison.Ordinal)
                        && name.Value.AsSpan(prefix.Length).Contains('/')) is { } deeper
                    && !repositories.Exists(name => pattern.CouldMatch(name)))
                {
                    diagnosis.Warn(
                        "POL006", PlaceOf(rule), $"\"{rule.Identity.Name}\": \"{pattern.Text}\" matches no repository, "
                            + $"but {deeper.Value} is deeper", $"Write \"{pattern.Text}*\"");
                }
            }
        }
    }

    private static async Task<List<RepositoryName>?> ReadCatalogAsync(
        GatewayOptions options, RegistryOptions registry, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false };
        options.LoadUpstreamTrust().Configure(registry.Name, handler);
        using var client = new HttpClient(handler)
        {
            Timeout = TimeSpan.FromSeconds(15),
            MaxResponseContentBufferSize = 8 << 20,
        };
        var names = new List<RepositoryName>();
        var path = $"/v2/_catalog?n={PageSize}";
        try
        {
            for (var read = 0; read < MostRepositories; read += PageSize)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(registry.Upstreams[0], path));
                if (UpstreamCredential.Header(registry.Credential) is { } credential)
                {
                    request.Headers.TryAddWithoutValidation("Authorization", credential);
                }

                using var answer = await client.SendAsync(request, cancellationToken);
                if (!answer.IsSuccessStatusCode)
                {
                    return null;
                }

                using var document = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
                var page = document.RootElement.GetProperty("repositories")
                    .EnumerateArray()
                    .Select(static one => one.GetString() ?? "").ToList();
                foreach (var one in page)
                {
                    if (RepositoryName.TryParse(
                        registry is { Prefix: { } prefix, StripPrefix: true } ? $"{prefix}/{one}" : one, out var name))
                    {
                        names.Add(name);
                    }
                }

                if (page.Count < PageSize)
                {
                    break;
                }

                path = $"/v2/_catalog?n={PageSize}&last={Uri.EscapeDataString(page[^1])}";
            }

            return names;
        }
        catch (Exception exception)
            when (exception is HttpRequestException or JsonException or KeyNotFoundException
                or InvalidOperationException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return null;
        }
    }

    // Letters swapped, or one too many or too few. One letter for another is not a slip but the usual difference of
    // names: team-a and team-b.
    private static bool IsSlip(string one, string other)
    {
        var (shorter, longer) = one.Length < other.Length ? (one, other) : (other, one);
        return shorter.Length > 3
            && (longer.Length == shorter.Length
                ? longer.Order().SequenceEqual(shorter.Order())
                : longer.Length == shorter.Length + 1
                    && Enumerable.Range(0, longer.Length).Any(
                        at => char.IsAsciiLetter(longer[at]) && longer.Remove(at, 1) == shorter));
    }

    private static string PlaceOf(PolicyRule rule) => $"{rule.Identity.File}:{rule.Identity.Line}";

    private static string IdOf(PolicyRemarkKind kind) => kind switch
    {
        PolicyRemarkKind.Denied => "POL003",
        PolicyRemarkKind.EverybodyWrites => "POL007",
        _ => "POL002",
    };

    private static string IdOf(Problem warning) => warning.Kind switch
    {
        ProblemKind.NarrowPattern => "POL006",
        ProblemKind.OpenToAnyone => "POL007",
        ProblemKind.UndeclaredGroup => "POL004",
        ProblemKind.UnusedGroup => "POL009",
        _ => "POL010",
    };
}
