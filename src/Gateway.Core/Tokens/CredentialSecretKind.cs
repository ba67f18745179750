namespace Gateway.Core.Tokens;

/// <summary>What a <see cref="CredentialSecret"/> is for; its prefix says so.</summary>
public enum CredentialSecretKind
{
    /// <summary>A personal access token: <c>rgp_</c>.</summary>
    Personal,

    /// <summary>A robot's token: <c>rgr_</c>.</summary>
    Robot,

    /// <summary>A refresh token: <c>rgf_</c>.</summary>
    Refresh,

    /// <summary>A job's, exchanged for an ID token: <c>rgw_</c>.</summary>
    Workload,

    /// <summary>A browser's session: <c>rgs_</c>.</summary>
    Session,
}
