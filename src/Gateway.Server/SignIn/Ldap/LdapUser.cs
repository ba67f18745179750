using System.Collections.Frozen;

namespace Gateway.Server.SignIn.Ldap;

/// <summary>A user as the directory has him now.</summary>
/// <param name="Dn">His entry.</param>
/// <param name="Name">His name, as the directory writes it.</param>
/// <param name="Groups">His groups by their names here, in order.</param>
/// <param name="Claims">Attributes that policies see.</param>
/// <param name="Evidence">
/// Stands for the entry, and for when its password was set where the directory tells that: another one ends refresh tokens.
/// </param>
internal sealed record LdapUser(
    string Dn, string Name, IReadOnlyList<string> Groups, FrozenDictionary<string, string> Claims, string Evidence);
