using System.Collections.Frozen;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>A user as the directory has them now.</summary>
/// <param name="Dn">Their entry.</param>
/// <param name="Name">Their name, as the directory writes it.</param>
/// <param name="Groups">Their groups by the names used here, in order.</param>
/// <param name="Claims">Attributes that policies see.</param>
/// <param name="Evidence">
/// Identifies the entry, and when its password was set where the directory says so: a change revokes refresh tokens.
/// </param>
internal sealed record LdapUser(
    string Dn, string Name, IReadOnlyList<string> Groups, FrozenDictionary<string, string> Claims, string Evidence);
