using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Core.Registry;
using Gateway.EndToEndTests.Support;
using Xunit.Abstractions;

namespace Gateway.EndToEndTests.Grammar;

/// <summary>The parser against the real registry: what is decided is what the registry acts on.</summary>
/// <remarks>
/// Every generated target is judged by the parser, and where it is about a started upload, by the gateway's tickets,
/// which carry the registry's own state. What is accepted is sent, as the bytes that the gateway sends, to an
/// upstream that says yes to everything and to a real registry, twice: once unauthenticated, for the registry's own
/// list of the scopes it would need, and once so that it acts, with its debug log telling what it read and which
/// repositories' files it touched. A second reading of the same targets, <see cref="DistributionModel"/>, shares
/// nothing with the parser and is itself held to the real registry, with what the parser refuses.
/// </remarks>
public sealed class RegistryRequestDifferentialTests(ITestOutputHelper output)
{
    private const int Targets = 220_000;
    private const int LeastAccepted = 60_000;
    private const int MostRefusedSent = 12_000;

    // distribution-spec, "Pulling manifests": <name> and <reference>, and the registered digest algorithms.
    private static readonly Regex OciName = new(
        @"\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.NonBacktracking);

    private static readonly Regex OciItem = new(
        @"\A([a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}|sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})\z",
        RegexOptions.NonBacktracking);

    // RFC 3986's unreserved characters, and the delimiters that the API itself uses.
    private static readonly Regex Plain = new(
        @"\A/v2/[A-Za-z0-9._/:=-]*(\?[A-Za-z0-9._~=&%-]+)?\z", RegexOptions.NonBacktracking);

    // As the gateway makes its own: an upload's query goes back to the registry byte for byte.
    private static readonly UriCreationOptions Untouched = new()
    {
        DangerousDisablePathAndQueryCanonicalization = true,
    };

    private readonly List<string> _findings = [];

    [Fact]
    public async Task Parse_ManyTargets_TheRegistryActsOnNothingButWhatWasDecided()
    {
        var seed = int.TryParse(
            Environment.GetEnvironmentVariable("GATEWAY_TEST_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given : Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var started = TimeProvider.System.GetTimestamp();
        await using var registry = await GrammarRegistry.StartAsync();
        await using var yes = new YesUpstream();

        var tickets = new TestTickets();
        var issued = new Dictionary<string, StartedUpload>(StringComparer.Ordinal);
        var generator = new TargetGenerator(
            seed, GrammarRegistry.Repositories, registry.Digests, registry.Uploads,
            upload => Issue(tickets, issued, upload));
        var accepted = new Dictionary<string, Sent>(StringComparer.Ordinal);
        var refused = new HashSet<(string Method, string Target)>();
        var acceptedTargets = 0;
        var withoutTicket = 0;
        for (var i = 0; i < Targets; i++)
        {
            var (method, target) = generator.Next();
            var result = RegistryRequestParser.Parse(method, target);
            if (result.IsRequest)
            {
                acceptedTargets++;
                var upload = UploadOf(result.Request, issued);
                if (tickets.Forwarded(result.Request) is not { } forwarded)
                {
                    // The gateway answers 404; it had better be right that this is no ticket of this upload.
                    withoutTicket++;
                    if (upload is not null)
                    {
                        Find(target, "a ticket of this very upload was not accepted");
                    }

                    continue;
                }

                if (forwarded.Upload is not null && upload is null)
                {
                    Find(target, "a ticket of another upload was accepted");
                }

                var sent = new Sent(target, RegistryTarget.Build(forwarded), forwarded, result.Request, upload?.State);
                Judge(sent);
                accepted.TryAdd(sent.Line, sent);
            }
            else if (refused.Count < MostRefusedSent && IsSendable(method, target))
            {
                refused.Add((method, target));
            }
        }

        Sent[] requests = [.. accepted.Values];
        await AskTheYesUpstreamAsync(yes, requests);
        await AskForScopesAsync(registry, requests);
        await SendClientsBytesAsync(registry, requests);
        var wouldHaveAccepted = await SendRefusedAsync(registry, [.. refused]);
        var statuses = await LetTheRegistryActAsync(registry, requests);
        CompareDisk(registry, requests);

        output.WriteLine($"{Targets} targets judged, {acceptedTargets} accepted, {withoutTicket} of them without their "
            + $"upload's ticket: {requests.Length} distinct requests sent");
        output.WriteLine(
            $"refused: {refused.Count} sent as they were; the registry would have acted on {wouldHaveAccepted} of them");
        output.WriteLine($"answers of the acting registry: {statuses}");
        output.WriteLine($"{TimeProvider.System.GetElapsedTime(started).TotalSeconds:F0} s");
        var findings = string.Join('\n', _findings.Take(25));
        Assert.True(
            _findings.Count == 0,
            $"seed {seed} (set GATEWAY_TEST_SEED to repeat): {_findings.Count} findings, such as\n{findings}");
        Assert.True(
            requests.Length >= LeastAccepted, $"seed {seed}: only {requests.Length} distinct accepted requests");
    }

    private static string Issue(TestTickets tickets, Dictionary<string, StartedUpload> issued, StartedUpload upload)
    {
        var ticket = tickets.Write(upload);
        issued[ticket] = upload;
        return ticket;
    }

    // Whose ticket a request shows, where it is about that very upload: known from what was issued, not from reading
    // it.
    private static StartedUpload? UploadOf(RegistryRequest request, Dictionary<string, StartedUpload> issued) =>
        issued.TryGetValue(request.Parameters.Ticket ?? "", out var upload)
        && upload.Repository == request.Repository?.Value && upload.Id == request.Upload?.Value
            ? upload
            : null;

    // Without a socket: the decision against the second reading of the bytes sent and of the bytes received.
    private void Judge(Sent sent)
    {
        var expected = DistributionReading.Of(sent.Request, sent.State);
        Expect(expected, DistributionModel.Read(sent.Target), sent, "the model reads the forwarded target");
        var uri = new Uri("http://upstream" + sent.Target, Untouched);
        Expect(sent.Target, uri.PathAndQuery, sent, "System.Uri leaves the target alone");
        if (!IsRedirectedPing(sent.Raw))
        {
            var reading = DistributionModel.Read(sent.Raw)?.WithoutWhatIsDropped(sent.Request);
            Expect(DistributionReading.Of(sent.Asked), reading, sent, "the model reads the client's target");
        }

        // The upstream's own query aside, which is its own bytes again.
        var own = RegistryTarget.Build(
            sent.Request with { Parameters = sent.Request.Parameters with { UpstreamQuery = null } });

        var names = new[] { sent.Request.Repository?.Value, sent.Request.Parameters.From?.Value };
        if (names.Any(name => name is not null && (name.Length > 255 || !OciName.IsMatch(name)))
            || (expected.Route is "manifest" or "blob" && !OciItem.IsMatch(expected.Item!))
            || !Plain.IsMatch(own))
        {
            Find(sent, "something accepted is outside the OCI grammar");
        }
    }

    private async Task AskTheYesUpstreamAsync(YesUpstream yes, Sent[] requests)
    {
        var responses = await RawHttpClient.SendAsync(
            yes.Port, [.. requests.Select((sent, i) => sent.ToBytes($"y/{i}"))]);
        var received = yes.Requests.ToDictionary(request => request.Head["User-Agent"]!, StringComparer.Ordinal);
        for (var i = 0; i < requests.Length; i++)
        {
            Expect(200, responses[i].Status, requests[i], "the yes-upstream answers");
            var seen = received.GetValueOrDefault($"y/{i}");
            Expect(requests[i].Line, $"{seen?.Method} {seen?.Target}", requests[i], "the yes-upstream received");
            var asked = DistributionModel.Read(seen?.Target ?? "");
            var expected = DistributionReading.Of(requests[i].Request, requests[i].State);
            Expect(expected, asked, requests[i], "the yes-upstream was asked for");
        }
    }

    private async Task AskForScopesAsync(GrammarRegistry registry, Sent[] requests)
    {
        var responses = await RawHttpClient.SendAsync(
            registry.Process.Port, [.. requests.Select((sent, i) => sent.ToBytes($"s/{i}"))]);
        for (var i = 0; i < requests.Length; i++)
        {
            if (requests[i].Request.Operation != RegistryOperation.ListReferrers) // not among Distribution's routes
            {
                Expect(
                    ExpectedScope(requests[i].Request), Scope(responses[i]), requests[i],
                    "the registry asks for the scope");
            }
        }
    }

    // The accepted targets as the client spelled them: the parser understood the client as the registry would have.
    private async Task SendClientsBytesAsync(GrammarRegistry registry, Sent[] requests)
    {
        Sent[] respelled = [.. requests.Where(sent => sent.Raw != sent.Target && !IsRedirectedPing(sent.Raw)
            && sent.Request.Operation != RegistryOperation.ListReferrers && IsSendable(sent.Method, sent.Raw))];
        var responses = await RawHttpClient.SendAsync(
            registry.Process.Port, [.. respelled.Select((sent, i) => Bytes(sent.Method, sent.Raw, $"c/{i}"))]);
        for (var i = 0; i < respelled.Length; i++)
        {
            var expected = ExpectedScope(respelled[i].Request);
            var actual = Scope(responses[i]);

            // A mount source that was dropped may still be named by the registry; it was not forwarded.
            var matches = respelled[i].Request.Parameters.From is null
                ? actual == expected || actual?.StartsWith(expected + " repository:", StringComparison.Ordinal) == true
                : actual == expected;
            if (!matches)
            {
                Find(
                    respelled[i], $"the registry reads the client's target as {actual ?? "nothing"}, we as {expected}");
            }
        }
    }

    // Refusing is always safe. This measures how much stricter the parser is, and holds the model to the real registry.
    private async Task<int> SendRefusedAsync(GrammarRegistry registry, (string Method, string Target)[] refused)
    {
        var responses = await RawHttpClient.SendAsync(
            registry.Process.Port,
            [.. refused.Select((request, i) => Bytes(request.Method, request.Target, $"r/{i}"))]);
        var acted = 0;
        for (var i = 0; i < refused.Length; i++)
        {
            var scope = Scope(responses[i]);
            acted += scope is null ? 0 : 1;
            var reading = DistributionModel.Read(Latin1(refused[i].Target));
            var expected = reading is null or { Route: "referrers" }
                ? null : DistributionModel.Scope(refused[i].Method, reading);
            if (scope != expected && expected?.Any(c => c is < ' ' or > '~' or '"' or '\\') != true) // which %q escapes
            {
                Find(
                    $"{refused[i].Method} {refused[i].Target}",
                    $"the registry reads {scope ?? "nothing"} ({responses[i].Status}), the model "
                        + $"{expected ?? "nothing"}");
            }
        }

        return acted;
    }

    private async Task<string> LetTheRegistryActAsync(GrammarRegistry registry, Sent[] requests)
    {
        // The catalog first, while it holds the seeded repositories alone.
        requests = [.. requests.OrderBy(sent => sent.Request.Operation != RegistryOperation.ListCatalog)];
        var catalogs = requests.TakeWhile(sent => sent.Request.Operation == RegistryOperation.ListCatalog).Count();
        byte[][] bytes = [.. requests.Select((sent, i) => sent.ToBytes($"a/{i}", "Authorization: anything\r\n"))];
        RawResponse[] responses =
        [
            .. await RawHttpClient.SendAsync(registry.Process.Port, bytes[..catalogs]),
            .. await RawHttpClient.SendAsync(registry.Process.Port, bytes[catalogs..]),
        ];
        await registry.Process.StopAsync(); // every line of its log has been read
        for (var i = 0; i < requests.Length; i++)
        {
            if (requests[i].Request.Operation == RegistryOperation.StartUpload && responses[i].Status == 201)
            {
                registry.AddBlob(requests[i].Request.Repository!.Value, requests[i].Request.Parameters.Mount?.Value);
            }
        }

        for (var i = 0; i < requests.Length; i++)
        {
            CompareAction(registry, requests[i], registry.Observer[$"a/{i}"], responses[i]);
        }

        return string.Join(", ", responses
            .CountBy(response => response.Status)
            .OrderBy(pair => pair.Key)
            .Select(pair => $"{pair.Value} × {pair.Key}"));
    }

    private void CompareAction(GrammarRegistry registry, Sent sent, RegistryObservation? seen, RawResponse response)
    {
        var request = sent.Request;
        if (request.Operation == RegistryOperation.ListReferrers)
        {
            Expect("404", $"{response.Status}{seen}", sent, "the registry has no such route");
            return;
        }

        var expected = DistributionReading.Of(request);
        Expect(sent.Target, seen?.Uri, sent, "the registry received");
        Expect(expected.Name, seen?.Name, sent, "the registry read the repository");
        Expect(expected.Item, seen?.Item, sent, "the registry read the reference");
        if (request.Operation == RegistryOperation.ListCatalog)
        {
            CompareCatalog(sent, response);
        }
        else if (seen?.Touched.Any(name => name != expected.Name && name != expected.From) == true)
        {
            Find(sent, $"the registry touched other repositories: {seen}");
        }

        switch (request.Operation)
        {
            case RegistryOperation.ReadManifest:
                var manifest = registry.Manifest(expected.Name!, expected.Item!);
                var served = response.Status == 200 ? response.Head!["Docker-Content-Digest"] : null;
                Expect(manifest, served, sent, "the manifest served");
                break;
            case RegistryOperation.StartUpload when response.Status == 201:
                Expect(
                    $"/v2/{expected.Name}/blobs/{expected.Mount}", response.Head!["Location"], sent,
                    "the blob mounted");
                Expect(true, registry.HasBlob(expected.From, expected.Mount), sent, "the source has the blob mounted");
                break;
            case RegistryOperation.StartUpload:
                Expect(202, response.Status, sent, "the upload starts");
                var place = response.Head?["Location"] ?? "";
                Expect(sent.Target.Split('?')[0], place[..(place.LastIndexOf('/') + 1)], sent, "the upload's place");
                break;
        }
    }

    // The page that the parsed n and last ask for, of the repositories that were seeded.
    private void CompareCatalog(Sent sent, RawResponse response)
    {
        var size = sent.Request.Parameters.PageSize ?? 100;
        Expect(size > 1000 ? 400 : 200, response.Status, sent, "the catalog's answer"); // catalog.maxentries
        if (response.Status != 200)
        {
            return;
        }

        var last = sent.Request.Parameters.Last ?? "";
        var expected = GrammarRegistry.Repositories
            .OrderBy(Sortable, StringComparer.Ordinal)
            .Where(name => string.CompareOrdinal(Sortable(name), Sortable(last)) > 0)
            .Take((int)size);
        var body = JsonDocument.Parse(response.Body).RootElement.GetProperty("repositories");
        Expect(string.Join(' ', expected), string.Join(' ', body.EnumerateArray()), sent, "the catalog's page");
    }

    private void CompareDisk(GrammarRegistry registry, Sent[] requests)
    {
        var decided = requests
            .Select(sent => sent.Request.Repository?.Value).Concat(GrammarRegistry.Repositories).ToHashSet();
        var root = registry.Process.RepositoriesFolder;
        foreach (var folder in Directory.EnumerateDirectories(root, "_*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(root, Path.GetDirectoryName(folder)!);
            if (Path.GetFileName(folder) is "_uploads" or "_layers" or "_manifests" && !decided.Contains(name))
            {
                Find(folder, "the registry wrote a repository that no decision named");
            }
        }
    }

    private static string Sortable(string name) => name.Replace('/', '\0');

    private static string ExpectedScope(RegistryRequest request)
    {
        var name = request.Repository?.Value;
        var actions = request.Method switch
        {
            RegistryMethod.Get or RegistryMethod.Head => $"repository:{name}:pull",
            RegistryMethod.Delete => $"repository:{name}:delete",
            _ => $"repository:{name}:pull repository:{name}:push",
        };
        return request.Operation switch
        {
            RegistryOperation.Ping => "",
            RegistryOperation.ListCatalog => "registry:catalog:*",
            _ when request.Parameters.From is { } from => $"{actions} repository:{from}:pull",
            _ => actions,
        };
    }

    // null: it did not come as far as asking for rights, so it would not have acted.
    private static string? Scope(RawResponse response)
    {
        const string Start = "Bearer realm=\"r\",service=\"s\"";
        if (response.Status != 401 || response.Head!["WWW-Authenticate"] is not { } challenge)
        {
            return null;
        }

        return challenge == Start ? "" : challenge[(Start.Length + ",scope=\"".Length)..^1];
    }

    // The registry redirects /v2 to /v2/, the gateway answers the one like the other.
    private static bool IsRedirectedPing(string target) => target.Split('?')[0] == "/v2";

    private static bool IsSendable(string method, string target) =>
        method is not "CONNECT" && !target.Any(c => c is ' ' or '\r' or '\n');

    private static string Latin1(string target) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(target));

    private static byte[] Bytes(string method, string target, string agent, string headers = "") =>
        Encoding.UTF8.GetBytes(
            $"{method} {target} HTTP/1.1\r\nHost: registry\r\nUser-Agent: {agent}\r\n{headers}"
            + $"Accept: {GrammarRegistry.ManifestType}\r\nContent-Length: 0\r\n\r\n");

    private void Expect<T>(T expected, T actual, Sent sent, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            Find(sent, $"{what}: expected {expected}, was {actual}");
        }
    }

    private void Find(Sent sent, string what) => Find($"{sent.Line} (from {sent.Raw})", what);

    private void Find(string request, string what) => _findings.Add($"{request}: {what}");

    /// <param name="Raw">The client's target.</param>
    /// <param name="Target">What is forwarded.</param>
    /// <param name="Request">The request that is forwarded.</param>
    /// <param name="Asked">The request as the client sent it.</param>
    /// <param name="State">The state that the registry gave the upload, if it is about one.</param>
    private sealed record Sent(string Raw, string Target, RegistryRequest Request, RegistryRequest Asked, string? State)
    {
        public string Method { get; } = Request.Method.ToString().ToUpperInvariant();

        public string Line => $"{Method} {Target}";

        public byte[] ToBytes(string agent, string headers = "") => Bytes(Method, Target, agent, headers);
    }
}
