using Gateway.EndToEndTests.Support;

namespace Gateway.EndToEndTests.Clients;

[Collection(ClientMachine.Name)]
public sealed class ContainerdTests(ClientsFixture stack, ContainerdEngine engine) : RegistryClientTests(stack, "containerd", new ContainerdClient(stack.Gateway, engine))
{
    private protected override string AnonymousPullRequests => """
        HEAD /v2/public/app/manifests/1 -> 401
        GET /token?scope=repository:public/app:pull&service=[host] -> 200
        HEAD /v2/public/app/manifests/1 bearer(anonymous public/app:pull) -> 200
        GET /v2/public/app/manifests/[digest] -> 401
        GET /v2/public/app/manifests/[digest] bearer(anonymous public/app:pull) -> 200
        GET /v2/public/app/blobs/[digest] bearer(anonymous public/app:pull) -> 200
        """;

    private protected override string PullRequests => """
        HEAD /v2/team-a/app/manifests/1 -> 401
        POST /token form(client_id=containerd-client,grant_type=password,password,scope=repository:team-a/app:pull,service=[host],username=alice) -> 200
        HEAD /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull) -> 200
        GET /v2/team-a/app/manifests/[digest] -> 401
        GET /v2/team-a/app/manifests/[digest] bearer(alice team-a/app:pull) -> 200
        GET /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull) -> 200
        """;

    private protected override string PushRequests => """
        HEAD /v2/team-a/app/blobs/[digest] -> 401
        POST /token form(client_id=containerd-client,grant_type=password,password,scope=repository:team-a/app:pull repository:team-a/app:pull,push,service=[host],username=alice) -> 200
        HEAD /v2/team-a/app/blobs/[digest] bearer(alice team-a/app:pull,push) -> 404
        POST /v2/team-a/app/blobs/uploads/ bearer(alice team-a/app:pull,push) -> 202
        PUT /v2/team-a/app/blobs/uploads/[id]?_ticket=[_ticket]&digest=[digest] bearer(alice team-a/app:pull,push) -> 201
        HEAD /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull,push) -> 404
        PUT /v2/team-a/app/manifests/1 bearer(alice team-a/app:pull,push) -> 201
        """;

    private protected override string MountRequests => """
        HEAD /v2/team-a/copy/blobs/[digest] -> 401
        POST /token form(client_id=containerd-client,grant_type=password,password,scope=repository:team-a/copy:pull repository:team-a/copy:pull,push,service=[host],username=alice) -> 200
        HEAD /v2/team-a/copy/blobs/[digest] bearer(alice team-a/copy:pull,push) -> 404
        POST /token form(client_id=containerd-client,grant_type=password,password,scope=repository:team-a/app:pull repository:team-a/copy:pull repository:team-a/copy:pull,push,service=[host],username=alice) -> 200
        POST /v2/team-a/copy/blobs/uploads/?mount=[digest]&from=team-a/app bearer(alice team-a/app:pull team-a/copy:pull,push) -> 201
        HEAD /v2/team-a/copy/manifests/1 bearer(alice team-a/copy:pull,push) -> 404
        PUT /v2/team-a/copy/manifests/1 bearer(alice team-a/copy:pull,push) -> 201
        """;

    private protected override string[] AnonymousRefusal => ["may require authorization", "insufficient_scope"];

    private protected override string[] PolicyRefusal => ["403 Forbidden"];

    private protected override bool MountsUnseen => true;
}
