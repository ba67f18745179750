namespace Gateway.Core.Authorization;

/// <summary>What kind of caller a subject is. Names of different kinds never collide.</summary>
public enum SubjectKind
{
    /// <summary>No credentials were presented.</summary>
    Anonymous,

    /// <summary>A person: <c>user:alice</c> in policies.</summary>
    User,

    /// <summary>A service account of the gateway's own: <c>robot:ci-deploy</c>.</summary>
    Robot,

    /// <summary>A workload whose identity an outside issuer confirmed.</summary>
    Workload,
}
