namespace Gateway.EndToEndTests.Clients;

/// <summary>What podman, buildah and skopeo, which share a library, ask in the same way.</summary>
internal static class ContainersImage
{
    public const string Login = """
        GET /v2/ -> 401
        GET /token?account=alice&service=[host] basic(alice) -> 200
        GET /v2/ bearer(alice) -> 200
        """;

    public const string AnonymousPull = """
        GET /v2/ -> 401
        GET /token?scope=repository:public/app:pull&service=[host] -> 200
        GET /v2/public/app/manifests/1 bearer(anonymous public/app:pull) -> 200
        GET /v2/public/app/blobs/[digest] bearer(anonymous public/app:pull) -> 200
        """;

    public const string Pull = """
        GET /v2/ -> 401
        GET /token?account=alice&scope=repository:team-a/app:pull&service=[host] basic(alice) -> 200
        GET /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull) -> 200
        GET /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull) -> 200
        """;

    public const string Push = """
        GET /v2/ -> 401
        GET /token?account=alice&scope=repository:team-a/app:pull,push&service=[host] basic(alice) -> 200
        HEAD /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull,push) -> 404
        POST /v2/team-a/app/blobs/uploads/ bearer(alice team-a/app:pull,push) -> 202
        PATCH /v2/team-a/app/blobs/uploads/[id]?_ticket=[_ticket] bearer(alice team-a/app:pull,push) -> 202
        PUT /v2/team-a/app/blobs/uploads/[id]?_ticket=[_ticket]&digest=[digest] bearer(alice team-a/app:pull,push) -> 201
        PUT /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull,push) -> 201
        """;

    /// <summary>Layers are mounted; the config, which is small and in hand, is uploaded.</summary>
    public const string Mount = """
        GET /v2/ -> 401
        GET /token?account=alice&scope=repository:team-a/copy:pull,push&service=[host] basic(alice) -> 200
        HEAD /v2/team-a/copy/blobs/[digest] bearer(alice team-a/copy:pull,push) -> 404
        GET /token?account=alice&scope=repository:team-a/copy:pull,push&scope=repository:team-a/app:pull&service=[host] basic(alice) -> 200
        HEAD /v2/team-a/app/blobs/[digest] bearer(alice team-a/copy:pull,push team-a/app:pull) -> 200
        POST /v2/team-a/copy/blobs/uploads/?from=team-a%2Fapp&mount=[digest] bearer(alice team-a/copy:pull,push team-a/app:pull) -> 201
        POST /v2/team-a/copy/blobs/uploads/ bearer(alice team-a/copy:pull,push) -> 202
        PATCH /v2/team-a/copy/blobs/uploads/[id]?_ticket=[_ticket] bearer(alice team-a/copy:pull,push) -> 202
        PUT /v2/team-a/copy/blobs/uploads/[id]?_ticket=[_ticket]&digest=[digest] bearer(alice team-a/copy:pull,push) -> 201
        PUT /v2/team-a/copy/manifests/1 bearer(alice team-a/copy:pull,push) -> 201
        """;

    public static readonly string[] AnonymousRefusal = ["denied: this needs a sign-in; run docker login"];

    // Its own words: the answer's text is lost.
    public static readonly string[] WrongPassword = ["invalid username/password"];
}
