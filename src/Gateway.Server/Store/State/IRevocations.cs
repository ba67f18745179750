using Gateway.Core.Authorization;

namespace Gateway.Server.Store.State;

/// <summary>What was revoked, as far as this process knows; it is at most a second behind any replica.</summary>
internal interface IRevocations
{
    /// <summary>
    /// Whether the store was read within the last second, so that nothing revoked can be unknown here.
    /// </summary>
    bool IsCurrent { get; }

    /// <summary>
    /// Whether the store was ever read. Until then nothing can be said of any token, since what was revoked before the
    /// start is not known.
    /// </summary>
    bool HasRead { get; }

    /// <summary>
    /// Whether it is known whom operators blocked: from the store, or from what this machine knew when the gateway
    /// stopped. Until then nobody can sign in.
    /// </summary>
    bool KnowsBlocks { get; }

    /// <summary>What keeps a subject out; <see langword="null"/>: nothing.</summary>
    SubjectBlock? FindBlock(Subject subject);

    /// <summary>Whether a credential was revoked.</summary>
    bool IsRevoked(string credentialId);

    /// <summary>Whether all access tokens issued to the subject until then were revoked.</summary>
    bool IsRevoked(Subject subject, DateTimeOffset issuedAt);
}
